#include "act.h"
#include "cpu_backend.h"

#include "../dropout_bits.h"

DF_INLINE void row_loop(enum df_dtype type, const void *x, void *y, int64_t begin, int64_t cols, uint64_t row,
                        uint32_t bound, float factor)
{
#pragma omp simd
    for (int64_t i = 0; i < cols; i++) {
        const float value = factor * df_act_load(type, x, begin + i);
        df_act_store(type, y, begin + i, df_dropout_bits(row, (uint64_t)i) < bound ? 0.0f : value);
    }
}

DF_MULTIVERSION static void drop_row(enum df_dtype type, const void *x, void *y, int64_t begin, int64_t cols,
                                     uint64_t row, uint32_t bound, float factor)
{
    DF_ACT_CALL(type, row_loop, x, y, begin, cols, row, bound, factor);
}

int df_cpu_dropout(struct df_backend *backend, const void *x, const struct df_dropout_draw *draw,
                   uint64_t stream, double probability, void *y, int64_t rows, int64_t cols)
{
    const uint32_t bound = df_dropout_bound(probability);
    const float factor = (float)(1.0 / (1.0 - probability));

#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < rows; i++)
        drop_row(backend->compute, x, y, i * cols, cols,
                 df_dropout_row(draw->key, stream, draw->first_row + (uint64_t)i, (uint64_t)cols), bound,
                 factor);
    return 0;
}
