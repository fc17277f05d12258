#include "attention_bf16.h"

#include "attention_rows.h"
#include "gemm_bf16.h"
#include "layout_avx512.h"
#include "softmax_bf16.h"

DF_MULTIVERSION
static void store_rows(const float *source, int64_t rows, int64_t cols, int64_t source_ld,
                       const float *factor, void *destination, int64_t destination_ld)
{
    df_store_rows_loop(DF_BF16, source, rows, cols, source_ld, factor, destination, destination_ld);
}

static void store_transposed(const void *source, int64_t rows, int64_t cols, int64_t source_ld,
                             void *destination, int64_t destination_ld)
{
    for (int64_t j = 0; j < cols; j++) {
        for (int64_t i = 0; i < rows; i++)
            ((uint16_t *)destination)[j * destination_ld + i] =
                df_bf16_narrow(((const float *)source)[i * source_ld + j]);
    }
}

static void transpose(const void *source, int64_t rows, int64_t cols, int64_t source_ld, void *destination,
                      int64_t destination_ld)
{
    for (int64_t j = 0; j < cols; j++) {
        const uint16_t *from = (const uint16_t *)source + j;
        uint16_t *to = (uint16_t *)destination + j * destination_ld;
        for (int64_t i = 0; i < rows; i++)
            to[i] = from[i * source_ld];
        for (int64_t i = rows; i < df_padded_rows(rows); i++)
            to[i] = 0;
    }
}

DF_MULTIVERSION
static void row_products(const void *a, const void *b, int64_t rows, int64_t cols, int64_t ld,
                         float *products)
{
    df_row_products_loop(DF_BF16, a, b, rows, cols, ld, products);
}

#define LAYOUT                                                                                               \
    .pack = df_pack_bf16, .pack_transposed = df_pack_bf16_transposed, .transpose = transpose,                \
    .store_rows = store_rows, .store_transposed = store_transposed, .row_products = row_products

#ifdef DF_LAYOUT_AVX512
#define LAYOUT_AVX512                                                                                        \
    .pack = df_pack_bf16_avx512, .pack_transposed = df_pack_transposed_bf16_avx512,                          \
    .transpose = df_transpose_bf16_avx512, .store_rows = df_store_rows_bf16_avx512,                          \
    .store_transposed = df_store_transposed_bf16_avx512, .row_products = df_row_products_bf16_avx512
#else
#define LAYOUT_AVX512 LAYOUT
#endif

/* Small blocks of keys cost AMX its setting up for each product, and the softmax its reductions. */
#define COMMON .element = sizeof(uint16_t), .k_step = DF_K_STEP, .forward_keys = 1536

const struct df_attention_kernels df_attention_bf16[DF_BF16_ISAS] = {
    [DF_BF16_PORTABLE] = {COMMON, LAYOUT, .forward_queries = 48, .backward_queries = 48,
                          .gemm = df_gemm_bf16_portable, .softmax = df_softmax_bf16,
                          .softmax_backward = df_softmax_backward_bf16},
    [DF_BF16_AVX512] = {COMMON, LAYOUT_AVX512, .forward_queries = 48, .backward_queries = 48,
                        .gemm = df_gemm_bf16_avx512, .softmax = df_softmax_bf16_avx512,
                        .softmax_backward = df_softmax_backward_bf16_avx512},
    [DF_BF16_AMX] = {COMMON, LAYOUT_AVX512, .forward_queries = 32, .backward_queries = 64,
                     .gemm = df_gemm_bf16_amx, .softmax = df_softmax_bf16_avx512,
                     .softmax_backward = df_softmax_backward_bf16_avx512},
};
