/* The moving average of parameters, as torch.lerp finds it: from the nearer end. */
#include "cpu_backend.h"

#include "dinoft/multiversion.h"
#include "dinoft/size.h"

#define CHUNK 4096

DF_MULTIVERSION static void average_chunk(const float *value, float weight, float *average, int64_t count)
{
    if (weight < 0.5f) {
#pragma omp simd
        for (int64_t i = 0; i < count; i++)
            average[i] += weight * (value[i] - average[i]);
        return;
    }
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        average[i] = value[i] - (value[i] - average[i]) * (1.0f - weight);
}

int df_cpu_moving_average(struct df_backend *backend, const float *value, const float *weight, float *average,
                          int64_t count)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < count; i += CHUNK)
        average_chunk(value + i, *weight, average + i, df_min_i64(CHUNK, count - i));
    return 0;
}
