/* Maps whose channels are multiplied with a factor of each image: Dropout2d, forward and backward. */
#include "cpu_backend.h"

#include "dinoft/multiversion.h"

DF_MULTIVERSION static void scale_row(const float *x, const float *factors, int64_t channels, float *y)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++)
        y[c] = x[c] * factors[c];
}

int df_cpu_scale_channels(struct df_backend *backend, const float *x, const float *factors, int64_t batch,
                          int64_t positions, int64_t channels, float *y)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < batch * positions; row++)
        scale_row(x + row * channels, factors + row / positions * channels, channels, y + row * channels);
    return 0;
}
