#include "attention_f32.h"

#include "attention_rows.h"
#include "layout_avx512.h"
#include "../onednn.h"

#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

/* Rows of C that are worked on together: with four of 32 registers for a row of B there are 24 sums, with
 * two of 16 there are 12. */
#define MOST_ROWS 6

/* 1.5 * 2^23: adding it to a float leaves the nearest integer in the low bits. */
#define TO_INTEGER 12582912.0f

/* 2^f for |f| <= 1/2 with a relative error below 2e-8 (fitted as those of vector_math.h). */
#define POLYNOMIAL(f)                                                                                        \
    (((((((f)*1.53533605e-4f + 1.3398875e-3f) * (f) + 9.61843692e-3f) * (f) + 5.55033237e-2f) * (f) +        \
       0.240226477f) *                                                                                       \
          (f) +                                                                                              \
      0.693147182f) *                                                                                        \
         (f) +                                                                                               \
     1.0f)

#define LANES   4
#define VECTORS 2
#define TARGET
#define NAME(x) x##_portable
#include "attention_f32_template.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define LANES     8
#define VECTORS   2
#define TARGET    __attribute__((target("avx2,fma")))
#define NAME(x)   x##_avx2
#define MAX(a, b) ((vector_avx2)_mm256_max_ps(a, b))
#include "attention_f32_template.h"

/* Rounding to a fraction and scaling by a power of two are one instruction each. */
__attribute__((target("avx512f,avx512dq"), always_inline)) static inline __m512 exp2_of_avx512(__m512 x)
{
    const __m512 f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    return _mm512_scalef_ps(POLYNOMIAL(f), x - f);
}

#define LANES         16
#define VECTORS       4
#define TARGET        __attribute__((target("avx512f,avx512dq")))
#define NAME(x)       x##_avx512
#define MAX(a, b)     ((vector_avx512)_mm512_max_ps(a, b))
#define EXP2(x)       ((vector_avx512)exp2_of_avx512(x))
#define REDUCE_ADD(x) _mm512_reduce_add_ps(x)
#define REDUCE_MAX(x) _mm512_reduce_max_ps(x)
#include "attention_f32_template.h"

#else

#define gemm_avx2               gemm_portable
#define softmax_avx2            softmax_portable
#define softmax_backward_avx2   softmax_backward_portable
#define gemm_avx512             gemm_portable
#define softmax_avx512          softmax_portable
#define softmax_backward_avx512 softmax_backward_portable

#endif

static void pack(const void *b, int64_t k, int64_t n, int64_t ld, void *packed)
{
    for (int64_t column = 0; column < n; column += DF_PANEL) {
        const int64_t width = df_min_i64(DF_PANEL, n - column);
        for (int64_t row = 0; row < k; row++) {
            float *destination = (float *)packed + column * k + row * DF_PANEL;
            memset(destination + width, 0, (size_t)(DF_PANEL - width) * sizeof(float));
            memcpy(destination, (const float *)b + row * ld + column, (size_t)width * sizeof(float));
        }
    }
}

/* Source [rows, cols] in squares, so that neither side's cache lines are fetched again for each element. */
static void transpose(const void *source, int64_t rows, int64_t cols, int64_t source_ld, void *destination,
                      int64_t destination_ld)
{
    enum { SQUARE = 16 };

    for (int64_t row = 0; row < rows; row += SQUARE) {
        for (int64_t col = 0; col < cols; col += SQUARE) {
            const float *from = (const float *)source + row * source_ld + col;
            float *to = (float *)destination + col * destination_ld + row;
            const int64_t height = df_min_i64(SQUARE, rows - row), width = df_min_i64(SQUARE, cols - col);
            for (int64_t j = 0; j < width; j++) {
                for (int64_t i = 0; i < height; i++)
                    to[j * destination_ld + i] = from[i * source_ld + j];
            }
        }
    }
}

static void pack_transposed_by(df_transpose_function *transpose_panel, const void *b, int64_t k, int64_t n,
                               int64_t ld, void *packed)
{
    for (int64_t column = 0; column < n; column += DF_PANEL) {
        float *panel = (float *)packed + column * k;
        const int64_t width = df_min_i64(DF_PANEL, n - column);
        if (width < DF_PANEL)
            memset(panel, 0, (size_t)(k * DF_PANEL) * sizeof *panel);
        transpose_panel((const float *)b + column * ld, width, k, ld, panel, DF_PANEL);
    }
}

static void pack_transposed(const void *b, int64_t k, int64_t n, int64_t ld, void *packed)
{
    pack_transposed_by(transpose, b, k, n, ld, packed);
}

#ifdef DF_LAYOUT_AVX512
static void pack_transposed_avx512(const void *b, int64_t k, int64_t n, int64_t ld, void *packed)
{
    pack_transposed_by(df_transpose_f32_avx512, b, k, n, ld, packed);
}
#endif

DF_MULTIVERSION
static void store_rows(const float *source, int64_t rows, int64_t cols, int64_t source_ld,
                       const float *factor, void *destination, int64_t destination_ld)
{
    df_store_rows_loop(DF_F32, source, rows, cols, source_ld, factor, destination, destination_ld);
}

DF_MULTIVERSION
static void row_products(const void *a, const void *b, int64_t rows, int64_t cols, int64_t ld,
                         float *products)
{
    df_row_products_loop(DF_F32, a, b, rows, cols, ld, products);
}

enum df_f32_isa df_f32_isa_best(void)
{
    if (df_onednn_may_use(dnnl_cpu_isa_avx512_core))
        return DF_F32_AVX512;
    return df_onednn_may_use(dnnl_cpu_isa_avx2) ? DF_F32_AVX2 : DF_F32_PORTABLE;
}

/* 48 x 128 scores are 24 KB. */
#define KERNELS(ISA)                                                                                         \
    .element = sizeof(float), .k_step = 1, .forward_queries = 48, .forward_keys = 128,                       \
    .backward_queries = 48, .gemm = gemm_##ISA, .pack = pack, .softmax = softmax_##ISA,                      \
    .softmax_backward = softmax_backward_##ISA, .store_rows = store_rows, .row_products = row_products

#define LAYOUT .pack_transposed = pack_transposed, .transpose = transpose, .store_transposed = transpose

#ifdef DF_LAYOUT_AVX512
#define LAYOUT_AVX512                                                                                        \
    .pack_transposed = pack_transposed_avx512, .transpose = df_transpose_f32_avx512,                         \
    .store_transposed = df_transpose_f32_avx512
#else
#define LAYOUT_AVX512 LAYOUT
#endif

const struct df_attention_kernels df_attention_f32[DF_F32_ISAS] = {
    [DF_F32_PORTABLE] = {KERNELS(portable), LAYOUT},
    [DF_F32_AVX2] = {KERNELS(avx2), LAYOUT},
    [DF_F32_AVX512] = {KERNELS(avx512), LAYOUT_AVX512},
};
