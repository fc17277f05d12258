/* Sums over the rows of a matrix, and a bias added to each of them. */
#include "act.h"
#include "cpu_backend.h"

#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

#define GROUP      256 /* columns that are summed together */
#define MAX_CHUNKS 32  /* of rows, whatever the number of threads */
#define MIN_ROWS   256

DF_INLINE void sum_loop(enum df_dtype type, const void *x, int64_t at, int64_t ld, int64_t rows,
                        int64_t columns, double *sums)
{
    memset(sums, 0, (size_t)columns * sizeof(double));
    for (int64_t row = 0; row < rows; row++) {
#pragma omp simd
        for (int64_t i = 0; i < columns; i++)
            sums[i] += (double)df_act_load(type, x, at + row * ld + i);
    }
}

/* Of a block of x, which begins at element `at`. */
DF_MULTIVERSION static void sum_rows(enum df_dtype type, const void *x, int64_t at, int64_t ld, int64_t rows,
                                     int64_t columns, double *sums)
{
    DF_ACT_CALL(type, sum_loop, x, at, ld, rows, columns, sums);
}

/* Chunks of rows side by side, then the chunks in order, in double. */
int df_cpu_column_sum(struct df_backend *backend, struct df_matrix x, float *out)
{
    const int64_t chunks = df_min_i64(MAX_CHUNKS, (x.rows + MIN_ROWS - 1) / MIN_ROWS);
    assert(x.type == DF_F32 || x.type == DF_BF16);
    for (int64_t column = 0; column < x.cols; column += GROUP) {
        const int64_t columns = df_min_i64(GROUP, x.cols - column);
        double partial[MAX_CHUNKS][GROUP];
#pragma omp parallel for num_threads(backend->threads)
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const int64_t begin = x.rows * chunk / chunks, end = x.rows * (chunk + 1) / chunks;
            sum_rows(x.type, x.data, begin * x.ld + column, x.ld, end - begin, columns, partial[chunk]);
        }
        for (int64_t i = 0; i < columns; i++) {
            double total = 0.0;
            for (int64_t chunk = 0; chunk < chunks; chunk++)
                total += partial[chunk][i];
            out[column + i] = (float)total;
        }
    }
    return 0;
}

int df_cpu_add_bias(struct df_backend *backend, struct df_matrix x, const float *bias)
{
    float *data = x.data;
    assert(x.type == DF_F32);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < x.rows; row++) {
        float *to = data + row * x.ld;
#pragma omp simd
        for (int64_t i = 0; i < x.cols; i++)
            to[i] += bias[i];
    }
    return 0;
}
