/* What DoRA adds to a linear layer with LoRA: factors of its rows, and the gradient of their magnitudes. */
#include "act.h"
#include "cpu_backend.h"

#include "dinoft/multiversion.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Calls function(is_bf16's type, type, whether there is a bias, a residual, …) with constants, so that each
 * is a loop of its own. */
#define CALL_TYPED(function, bias, residual, first, second, ...)                                             \
    do {                                                                                                     \
        if ((bias) && (residual))                                                                            \
            function(first, second, true, true, __VA_ARGS__);                                                \
        else if (bias)                                                                                       \
            function(first, second, true, false, __VA_ARGS__);                                               \
        else if (residual)                                                                                   \
            function(first, second, false, true, __VA_ARGS__);                                               \
        else                                                                                                 \
            function(first, second, false, false, __VA_ARGS__);                                              \
    } while (0)
#define CALL(function, first, second, bias, residual, ...)                                                   \
    do {                                                                                                     \
        if ((first) == DF_BF16 && (second) == DF_BF16)                                                       \
            CALL_TYPED(function, bias, residual, DF_BF16, DF_BF16, __VA_ARGS__);                             \
        else if ((first) == DF_BF16)                                                                         \
            CALL_TYPED(function, bias, residual, DF_BF16, DF_F32, __VA_ARGS__);                              \
        else if ((second) == DF_BF16)                                                                        \
            CALL_TYPED(function, bias, residual, DF_F32, DF_BF16, __VA_ARGS__);                              \
        else                                                                                                 \
            CALL_TYPED(function, bias, residual, DF_F32, DF_F32, __VA_ARGS__);                               \
    } while (0)

/* --- scale_columns --- */

struct scaling {
    struct df_matrix x, y;
    const float *factors, *bias;
    const void *residual;
};

DF_INLINE void scale_loop(enum df_dtype from, enum df_dtype to, bool biased, bool added,
                          const struct scaling *work, int64_t row)
{
    const void *x = work->x.data, *residual = work->residual;
    void *y = work->y.data;
    const float *factors = work->factors, *bias = work->bias;
    const int64_t first = row * work->x.ld, to_first = row * work->y.ld;

#pragma omp simd
    for (int64_t i = 0; i < work->x.cols; i++) {
        float value = df_act_load(from, x, first + i) * factors[i];
        if (biased)
            value += bias[i];
        if (added)
            value += df_act_load(to, residual, to_first + i);
        df_act_store(to, y, to_first + i, value);
    }
}

DF_MULTIVERSION static void scale_row(const struct scaling *work, int64_t row)
{
    CALL(scale_loop, work->x.type, work->y.type, work->bias, work->residual, work, row);
}

int df_cpu_scale_columns(struct df_backend *backend, struct df_matrix x, const float *factors,
                         const float *bias, const void *residual, struct df_matrix y)
{
    const struct scaling work = {x, y, factors, bias, residual};

    assert(x.rows == y.rows && x.cols == y.cols);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < x.rows; row++)
        scale_row(&work, row);
    return 0;
}

/* --- dora_factors --- */

/* products: a column of the matrix. */
DF_MULTIVERSION static float length_of(const struct df_dora_rows *rows, int64_t row)
{
    const int64_t rank = rows->b.cols;
    const float *b = (const float *)rows->b.data + row * rows->b.ld;
    const float *products = (const float *)rows->products.data + row;
    const float scale = rows->scales ? rows->scales[row] : 1.0f;
    const float twice = scale == 0.0f ? 0.0f : 2.0f / scale;
    float square = rows->squares[row];

    for (int64_t k = 0; k < rank; k++) {
        const float *gram = (const float *)rows->gram.data + k * rows->gram.ld;
        float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < rank; j++)
            sum += gram[j] * b[j];
        square += b[k] * (twice * products[k * rows->products.ld] + sum);
    }
    const float least = DF_DORA_LEAST * rows->squares[row];
    return sqrtf(square < least ? least : square); /* a NaN stays one */
}

int df_cpu_dora_factors(struct df_backend *backend, const struct df_dora_rows *rows, float *factors,
                        float *excess, float *b_factors)
{
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows->b.rows; row++) {
        const float length = length_of(rows, row);
        factors[row] = length == 0.0f ? 0.0f : rows->magnitude[row] / length;
        excess[row] = factors[row] - 1.0f;
        b_factors[row] = rows->scales ? factors[row] * rows->scales[row] : factors[row];
    }
    return 0;
}

/* --- dora_gradient --- */

#define GROUP         256 /* columns that are summed together */
#define MAX_CHUNKS    32  /* of rows, whatever the number of threads */
#define MIN_ROWS      256
#define ROWS_TOGETHER 4

struct products {
    struct df_matrix dy, y;
    const float *bias;
    const void *residual;
};

struct block {
    int64_t row, end, column, columns;
};

DF_INLINE float product(enum df_dtype dy_type, enum df_dtype type, bool biased, bool added,
                        const struct products *work, int64_t row, int64_t column)
{
    const int64_t at = row * work->y.ld + column;
    float value = df_act_load(type, work->y.data, at);

    if (added)
        value -= df_act_load(type, work->residual, at);
    if (biased)
        value -= work->bias[column];
    return df_act_load(dy_type, work->dy.data, row * work->dy.ld + column) * value;
}

/* Converting to double is what takes the time: a few rows are added up before. */
DF_INLINE void sum_loop(enum df_dtype dy_type, enum df_dtype type, bool biased, bool added,
                        const struct products *products, const struct block *block, double *sums)
{
    const struct products work = *products;
    const int64_t column = block->column, columns = block->columns;
    int64_t row = block->row;

    memset(sums, 0, (size_t)columns * sizeof *sums);
    for (; row + ROWS_TOGETHER <= block->end; row += ROWS_TOGETHER) {
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) {
            float sum = 0.0f;
            for (int64_t k = 0; k < ROWS_TOGETHER; k++)
                sum += product(dy_type, type, biased, added, &work, row + k, column + i);
            sums[i] += (double)sum;
        }
    }
    for (; row < block->end; row++) {
#pragma omp simd
        for (int64_t i = 0; i < columns; i++)
            sums[i] += (double)product(dy_type, type, biased, added, &work, row, column + i);
    }
}

DF_MULTIVERSION static void sum_rows(const struct products *work, const struct block *block, double *sums)
{
    CALL(sum_loop, work->dy.type, work->y.type, work->bias, work->residual, work, block, sums);
}

/* Chunks of rows side by side, then the chunks in order, in double. */
int df_cpu_dora_gradient(struct df_backend *backend, struct df_matrix dy, struct df_matrix y,
                         const float *bias, const void *residual, const float *magnitude, float *gradient)
{
    const struct products work = {dy, y, bias, residual};
    const int64_t chunks = df_min_i64(MAX_CHUNKS, (dy.rows + MIN_ROWS - 1) / MIN_ROWS);

    assert(dy.rows == y.rows && dy.cols == y.cols);
    for (int64_t column = 0; column < dy.cols; column += GROUP) {
        const int64_t columns = df_min_i64(GROUP, dy.cols - column);
        double partial[MAX_CHUNKS][GROUP];
#pragma omp parallel for num_threads(backend->threads)
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const struct block block = {dy.rows * chunk / chunks, dy.rows * (chunk + 1) / chunks, column,
                                        columns};
            sum_rows(&work, &block, partial[chunk]);
        }
        for (int64_t i = 0; i < columns; i++) {
            const float length = magnitude[column + i];
            double total = 0.0;
            for (int64_t chunk = 0; chunk < chunks; chunk++)
                total += partial[chunk][i];
            gradient[column + i] = length == 0.0f ? 0.0f : (float)(total / (double)length);
        }
    }
    return 0;
}
