/* Attention's loops over rows that are the same for both types, built for one of them where they are called
 * (see act.h). Private to src/backend/cpu. */
#ifndef DINOFT_ATTENTION_ROWS_H
#define DINOFT_ATTENTION_ROWS_H

#include "../act.h"

/* As df_store_rows_function. */
DF_INLINE void df_store_rows_loop(enum df_dtype type, const float *source, int64_t rows, int64_t cols,
                                  int64_t source_ld, const float *factor, void *destination,
                                  int64_t destination_ld)
{
    for (int64_t i = 0; i < rows; i++) {
        const float f = factor ? factor[i] : 1.0f;
        for (int64_t j = 0; j < cols; j++)
            df_act_store(type, destination, i * destination_ld + j, source[i * source_ld + j] * f);
    }
}

/* As df_row_products_function. */
DF_INLINE void df_row_products_loop(enum df_dtype type, const void *a, const void *b, int64_t rows,
                                    int64_t cols, int64_t ld, float *products)
{
    for (int64_t i = 0; i < rows; i++) {
        float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < cols; j++)
            sum += df_act_load(type, a, i * ld + j) * df_act_load(type, b, i * ld + j);
        products[i] = sum;
    }
}

#endif
