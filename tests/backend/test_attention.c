/* The small products that the CPU's attention is made of, attention at sizes that only the CPU is asked for,
 * and values that are no numbers; all else is in src/backend/cases/attention.c. */
#include "one_case.h"

#include "support/open_backend.h"

#include "src/backend/cpu/attention/attention_bf16.h"
#include "src/backend/cpu/attention/attention_f32.h"
#include "src/backend/cpu/attention/gemm_bf16.h"

#include "dinoft/rng.h"

#include <math.h>
#include <stdio.h>

/* Uniform in [-1, 1); the caller frees. */
static float *random_array(int64_t count, uint64_t seed)
{
    float *array = malloc((size_t)count * sizeof *array);
    struct df_rng rng;

    assert_non_null(array);
    df_rng_seed(&rng, seed, 0);
    for (int64_t i = 0; i < count; i++)
        array[i] = (float)df_rng_uniform(&rng, -1.0, 1.0);
    return array;
}

/* What an operation must overwrite without reading. */
static float *nan_array(int64_t count)
{
    float *array = malloc((size_t)count * sizeof *array);

    assert_non_null(array);
    for (int64_t i = 0; i < count; i++)
        array[i] = NAN;
    return array;
}

static float *copy_array(const float *source, int64_t count)
{
    float *array = malloc((size_t)count * sizeof *array);

    assert_non_null(array);
    memcpy(array, source, (size_t)count * sizeof *array);
    return array;
}

#define assert_close(actual, expected, tolerance)                                                            \
    do {                                                                                                     \
        double close_actual = (actual), close_expected = (expected), close_tolerance = (tolerance);          \
        if (!(fabs(close_actual - close_expected) <= close_tolerance))                                       \
            fail_msg("%.9g where %.9g +- %.2g was expected", close_actual, close_expected, close_tolerance); \
    } while (0)

/* p->c against double sums of p->a [m, k] and p->packed, which here is float32 [k, n], or transposed: what
 * was packed. */
static void assert_product(const struct df_packed_gemm *p, const float *before, int64_t ldb, bool transposed)
{
    const float *a = p->a, *b = p->packed;

    for (int64_t i = 0; i < p->m; i++) {
        for (int64_t j = 0; j < p->n; j++) {
            double sum = p->accumulate ? before[i * p->ldc + j] : 0.0;
            for (int64_t l = 0; l < p->k; l++)
                sum += (double)a[i * p->lda + l] * b[transposed ? j * ldb + l : l * ldb + j];
            assert_close(p->c[i * p->ldc + j], sum, 1e-6 * (double)(p->k + 4));
        }
    }
}

/* One product in float32 in every way that this processor has, against double sums. */
static void check_f32_product(int64_t m, int64_t n, int64_t k, bool transposed, bool accumulate)
{
    const int64_t ldc = df_panel_columns(n), lda = k + 1, ldb = transposed ? k + 4 : n + 3;
    float *a = random_array(m * lda, 1), *b = random_array((transposed ? n : k) * ldb, 2);
    float *before = random_array(m * ldc, 3), *packed = nan_array(k * ldc);

    for (int isa = 0; isa <= (int)df_f32_isa_best(); isa++) {
        const struct df_attention_kernels *kernels = &df_attention_f32[isa];
        float *c = copy_array(before, m * ldc);
        (transposed ? kernels->pack_transposed : kernels->pack)(b, k, n, ldb, packed);
        kernels->gemm(&(struct df_packed_gemm){m, n, k, a, lda, packed, c, ldc, accumulate});
        assert_product(&(struct df_packed_gemm){m, n, k, a, lda, b, c, ldc, accumulate}, before, ldb,
                       transposed);
        free(c);
    }
    free(a);
    free(b);
    free(before);
    free(packed);
}

static void f32_products(void **state)
{
    static const int64_t sizes[] = {1, 2, 5, 6, 7, 16, 17, 33, 50, 64, 65, 131};
    const size_t count = sizeof sizes / sizeof *sizes;

    (void)state;
    if (!test_on_cpu())
        skip();
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++)
            check_f32_product(sizes[i], sizes[j], sizes[(i + j) % count], i % 2, (i + j) % 2);
    }
}

/* Rounds values, in float and as bf16. */
static uint16_t *rounded(float *values, int64_t count)
{
    uint16_t *bits = malloc((size_t)count * sizeof *bits);
    assert_non_null(bits);
    assert_int_equal(df_convert_from_f32(bits, DF_BF16, values, (size_t)count), 0);
    df_convert_to_f32(values, bits, DF_BF16, (size_t)count);
    return bits;
}

/* One product in bfloat16 in every way that this processor has, against double sums. */
static void check_bf16_product(int64_t m, int64_t n, int64_t k, bool transposed, bool accumulate)
{
    const int64_t ldc = df_panel_columns(n), lda = df_padded_rows(k), ldb = transposed ? k + 4 : n + 3,
                  rows_b = transposed ? n : k;
    float *a = random_array(m * lda, 1), *b = random_array(rows_b * ldb, 2);
    float *c = random_array(m * ldc, 3), *before = copy_array(c, m * ldc);
    for (int64_t i = 0; i < m * lda; i++)
        a[i] = i % lda < k ? a[i] : 0.0f;
    uint16_t *a16 = rounded(a, m * lda), *b16 = rounded(b, rows_b * ldb);
    uint16_t *packed = malloc((size_t)(df_padded_rows(k) * ldc) * sizeof *packed);
    assert_non_null(packed);
    if (transposed)
        df_pack_bf16_transposed(b16, k, n, ldb, packed);
    else
        df_pack_bf16(b16, k, n, ldb, packed);
    for (int isa = 0; isa <= (int)df_bf16_isa_best(); isa++) {
        const struct df_packed_gemm product = {m, n, k, a16, lda, packed, c, ldc, accumulate};
        memcpy(c, before, (size_t)(m * ldc) * sizeof *c);
        df_attention_bf16[isa].gemm(&product);
        assert_product(&(struct df_packed_gemm){m, n, k, a, lda, b, c, ldc, accumulate}, before, ldb,
                       transposed);
    }
    free(a);
    free(b);
    free(c);
    free(before);
    free(a16);
    free(b16);
    free(packed);
}

static void bf16_products(void **state)
{
    static const int64_t sizes[] = {1, 2, 5, 6, 7, 16, 17, 33, 50, 64, 65, 131};
    static const char *const absent[DF_BF16_ISAS] = {NULL, "VDPBF16PS", "AMX"};
    const size_t count = sizeof sizes / sizeof *sizes;
    (void)state;
    if (!test_on_cpu())
        skip();
    for (int isa = (int)df_bf16_isa_best() + 1; isa < DF_BF16_ISAS; isa++)
        print_message("this processor has no %s: products with it are not tested\n", absent[isa]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            const int64_t m = sizes[i], n = sizes[j], k = sizes[(i + j) % count];
            check_bf16_product(m, n, k, false, (i + j) % 2);
            if (k % 2 == 0)
                check_bf16_product(m, n, k, true, i % 2);
        }
    }
}

/* NULL: not to be had; says so. */
static struct df_backend *open_for(enum df_dtype type)
{
    struct df_backend *backend = test_open_backend(type == DF_BF16 ? "bf16" : "fp32", 2);
    if (!backend)
        print_message("%s is skipped: %s\n", df_dtype_name(type), df_error_text());
    return backend;
}

static void check_on_cpu(const char *operation, const int64_t sizes[DF_CASE_SIZES], enum df_dtype type)
{
    struct df_backend *backend = test_on_cpu() ? open_for(type) : NULL;
    if (!backend)
        skip();
    struct df_case c = test_case(operation, sizes, type);
    struct df_case_run run = test_run_case(&c, backend);
    test_agrees_with_loops(&c, &run);
    df_backend_close(backend);
}

/* More keys than a block of the forward pass in bfloat16, which would take a minute in the emulation. */
static void blocks_of_many_keys(void **state)
{
    static const int64_t sizes[DF_CASE_SIZES] = {1, 1601, 1, 64};
    (void)state;
    check_on_cpu("attention_forward", sizes, DF_BF16);
}

/* More than the interface asks for. */
static void odd_head_size(void **state)
{
    static const int64_t sizes[DF_CASE_SIZES] = {1, 5, 2, 12};
    (void)state;
    check_on_cpu("attention_forward", sizes, DF_F32);
    check_on_cpu("attention_backward", sizes, DF_F32);
}

/* A run that diverged must show it, and where. */
static void not_a_number_spreads(void **state)
{
    enum { QKV, OUT, LSE };
    enum { TOKENS = 150, DIM = 64 };
    static const int64_t sizes[DF_CASE_SIZES] = {1, TOKENS, 1, DIM};
    (void)state;
    for (int type = 0; type < 2; type++) {
        struct df_backend *backend = open_for(type ? DF_BF16 : DF_F32);
        if (!backend)
            continue;
        struct df_case c = test_case("attention_forward", sizes, type ? DF_BF16 : DF_F32);
        c.tensors[QKV].values[3 * DIM] = NAN;             /* q of the second token */
        c.tensors[QKV].values[(3 * 140 + 2) * DIM] = NAN; /* one channel of a late token's v */
        struct df_case_run run = test_run_case(&c, backend);
        float *out = test_tensor(&c, &run, OUT), *lse = test_tensor(&c, &run, LSE);
        assert_true(isnan(lse[1]) && isnan(out[DIM]) && isnan(out[DIM + 1]));
        assert_false(isnan(lse[0]) || isnan(out[1]));
        assert_true(isnan(out[0]) && isnan(out[(TOKENS - 1) * DIM]));
        free(out);
        free(lse);
        df_case_run_close(&run);
        df_case_close(&c);
        df_backend_close(backend);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_products),         cmocka_unit_test(bf16_products),
        cmocka_unit_test(blocks_of_many_keys),  cmocka_unit_test(odd_head_size),
        cmocka_unit_test(not_a_number_spreads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
