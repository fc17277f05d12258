#include "cpu_backend.h"

int df_cpu_scale_rows(struct df_backend *backend, const float *x, const float *scale, float *y, int64_t rows,
                      int64_t cols)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = row * cols; i < (row + 1) * cols; i++)
            y[i] = x[i] * scale[row];
    return 0;
}
