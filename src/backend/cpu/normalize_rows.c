/* Rows divided by their norms. */
#include "cpu_backend.h"

#include "dinoft/multiversion.h"

#include <math.h>

#define LEAST_NORM 1e-12f

DF_MULTIVERSION static void normalize_row(const float *x, int64_t columns, float *y)
{
    float squares = 0.0f;

#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < columns; i++)
        squares += x[i] * x[i];
    const float norm = fmaxf(sqrtf(squares), LEAST_NORM);
#pragma omp simd
    for (int64_t i = 0; i < columns; i++)
        y[i] = x[i] / norm;
}

int df_cpu_normalize_rows(struct df_backend *backend, const float *x, int64_t rows, int64_t columns, float *y)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows; row++)
        normalize_row(x + row * columns, columns, y + row * columns);
    return 0;
}
