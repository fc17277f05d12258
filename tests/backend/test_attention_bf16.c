/* Attention in bfloat16 against plain loops in double precision on the same rounded inputs, and the small
 * products that it is made of. */
#include "attention_half.h"

#include "support/open_backend.h"

#include "src/backend/cpu/attention/attention_bf16.h"
#include "src/backend/cpu/attention/gemm_bf16.h"

static void run(struct df_backend *backend, struct problem *p, struct half *half, bool need_dk)
{
    const size_t out_bytes = (size_t)p->out_count * sizeof *half->out;

    run_forward(backend, p, half);
    void *qkv = put(backend, half->qkv, 3 * out_bytes), *out = put(backend, half->out, out_bytes);
    void *dqkv = put(backend, half->dqkv, 3 * out_bytes), *dout = put(backend, half->dout, out_bytes);
    float *lse = put_floats(backend, p->lse, p->lse_count);
    assert_int_equal(backend->ops->attention_backward(backend, p->shape, qkv, out, lse, dout, dqkv, need_dk),
                     0);
    get(backend, half->dqkv, dqkv, 3 * out_bytes);
    backend->ops->free(backend, qkv);
    backend->ops->free(backend, out);
    backend->ops->free(backend, dout);
    backend->ops->free(backend, lse);
}

static void check(struct df_backend *backend, struct problem *p)
{
    const int64_t n = p->shape.tokens, heads = p->shape.heads;
    double *probabilities = calloc((size_t)n, sizeof(double));
    double *out = calloc((size_t)p->out_count, sizeof(double));
    double *dqkv = calloc((size_t)p->out_count * 3, sizeof(double));
    struct half half = make_half(p);

    assert_true(probabilities && out && dqkv);
    run(backend, p, &half, true);
    for (int64_t row = 0; row < p->lse_count; row++) {
        const int64_t query = row % n, head = row / n % heads, image = row / n / heads;
        assert_close(p->lse[row], softmax_row(p, image, head, query, probabilities), 2e-5);
        reference_query(p, image, head, query, probabilities, out, dqkv);
    }
    check_array("out", half.out, out, p->out_count);
    check_array("dqkv", half.dqkv, dqkv, 3 * p->out_count);
    free_half(&half);
    free(probabilities);
    free(out);
    free(dqkv);
}

static void shapes(void **state)
{
    /* 1601 keys are more than a block of the forward pass. */
    static const int64_t list[][4] = {{1, 1601, 1, 64}, {1, 1, 1, 64},    {2, 2, 1, 64},
                                      {2, 17, 3, 64},   {1, 48, 2, 64},   {2, 129, 1, 64},
                                      {1, 65, 1, 128},  {1, 301, 2, 128}, {3, 63, 1, 64}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct problem p = make_problem(
            list[i][0], test_is_emulated() ? (list[i][1] - 1) % 400 + 1 : list[i][1], list[i][2], list[i][3]);
        check(*state, &p);
        free_problem(&p);
    }
}

/* Scores far outside the range of exp. */
static void large_scores(void **state)
{
    struct problem p = make_problem(1, 40, 2, 64);
    for (int64_t i = 0; i < 40 * 3 * p.dim; i++)
        p.qkv[i] *= i / p.dim % 3 == 0 ? 400.0f : 1.0f; /* q */
    struct half half = make_half(&p);
    run(*state, &p, &half, true);
    for (int64_t i = 0; i < p.out_count; i++)
        assert_true(fabsf(df_bf16_to_f32(half.out[i])) <= 1.0f);
    for (int64_t i = 0; i < 3 * p.out_count; i++)
        assert_true(isfinite(df_bf16_to_f32(half.dqkv[i])));
    free_half(&half);
    free_problem(&p);
}

/* A run that diverged must show it. */
static void not_a_number_spreads(void **state)
{
    struct problem p = make_problem(1, 20, 1, 64);
    p.qkv[3 * p.dim] = NAN; /* q of the second token */
    struct half half = make_half(&p);
    run_forward(*state, &p, &half);
    assert_true(isnan(df_bf16_to_f32(half.out[p.dim])));
    assert_false(isnan(df_bf16_to_f32(half.out[0])));
    free_half(&half);
    free_problem(&p);
}

static void without_dk(void **state)
{
    struct problem p = make_problem(2, 131, 2, 64);
    struct half half = make_half(&p), less = make_half(&p);
    run(*state, &p, &half, true);
    run(*state, &p, &less, false);
    for (int64_t part = 0; part < 3 * p.out_count / p.dim; part++) {
        if (part % 3 != 1)
            assert_memory_equal(half.dqkv + part * p.dim, less.dqkv + part * p.dim, (size_t)p.dim * 2);
    }
    free_half(&half);
    free_half(&less);
    free_problem(&p);
}

/* The same bits on 1, 2, 3 and, with fewer heads than threads, on 7 threads. */
static void threads(void **state)
{
    static const int counts[] = {1, 2, 3, 7};
    struct problem p = make_problem(2, 333, 1, 64);
    struct half first = make_half(&p);
    (void)state;
    for (int i = 0; i < (test_on_cpu() ? 4 : 2); i++) {
        struct df_backend *backend = test_open_backend("bf16", counts[i]);
        struct half half = make_half(&p);
        assert_non_null(backend);
        run(backend, &p, i ? &half : &first, true);
        if (i) {
            assert_memory_equal(half.out, first.out, (size_t)p.out_count * 2);
            assert_memory_equal(half.dqkv, first.dqkv, (size_t)p.out_count * 6);
        }
        free_half(&half);
        df_backend_close(backend);
    }
    free_half(&first);
    free_problem(&p);
}

/* One product in every way that this processor has, against double sums. */
static void check_product(int64_t m, int64_t n, int64_t k, bool transposed, bool accumulate)
{
    const int64_t ldc = df_panel_columns(n), lda = df_padded_rows(k), ldb = transposed ? k + 4 : n + 3,
                  rows_b = transposed ? n : k;
    float *a = random_array(m * lda, 1), *b = random_array(rows_b * ldb, 2);
    float *c = random_array(m * ldc, 3), *before = copy_array(c, m * ldc);
    for (int64_t i = 0; i < m * lda; i++)
        a[i] = i % lda < k ? a[i] : 0.0f;
    uint16_t *a16 = rounded(a, m * lda), *b16 = rounded(b, rows_b * ldb);
    uint16_t *packed = malloc((size_t)df_packed_count(k, n) * sizeof *packed);
    assert_non_null(packed);
    if (transposed)
        df_pack_bf16_transposed(b16, k, n, ldb, packed);
    else
        df_pack_bf16(b16, k, n, ldb, packed);
    for (int isa = 0; isa <= (int)df_bf16_isa_best(); isa++) {
        const struct df_packed_gemm product = {m, n, k, a16, lda, packed, c, ldc, accumulate};
        memcpy(c, before, (size_t)(m * ldc) * sizeof *c);
        df_attention_bf16[isa].gemm(&product);
        for (int64_t i = 0; i < m; i++) {
            for (int64_t j = 0; j < n; j++) {
                double sum = accumulate ? before[i * ldc + j] : 0.0;
                for (int64_t l = 0; l < k; l++)
                    sum += (double)a[i * lda + l] * b[transposed ? j * ldb + l : l * ldb + j];
                assert_close(c[i * ldc + j], sum, 1e-6 * (double)(k + 4));
            }
        }
    }
    free(a);
    free(b);
    free(c);
    free(before);
    free(a16);
    free(b16);
    free(packed);
}

static void products(void **state)
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
            check_product(m, n, k, false, (i + j) % 2);
            if (k % 2 == 0)
                check_product(m, n, k, true, i % 2);
        }
    }
}

static int open_backend(void **state)
{
    *state = test_open_backend("bf16", 2);
    return *state ? 0 : -1;
}

static int close_backend(void **state)
{
    df_backend_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test_setup_teardown(shapes, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(large_scores, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(not_a_number_spreads, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(without_dk, open_backend, close_backend),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
