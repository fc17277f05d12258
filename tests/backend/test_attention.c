/* Attention and its gradients against plain loops in double precision and against finite differences, and the
 * small products that it is made of. */
#include "attention_problem.h"

#include "support/open_backend.h"

#include "src/backend/cpu/attention/attention_f32.h"

/* The forward pass alone; lse NULL: not asked for. */
static void run_forward(struct df_backend *backend, const struct problem *p, const float *qkv, float *out,
                        float *lse)
{
    float *on_qkv = put_floats(backend, qkv, 3 * p->out_count),
          *on_out = put_floats(backend, out, p->out_count);
    float *on_lse = put_floats(backend, lse, p->lse_count);

    assert_int_equal(backend->ops->attention_forward(backend, p->shape, on_qkv, on_out, on_lse), 0);
    get_floats(backend, out, on_out, p->out_count);
    if (lse)
        get_floats(backend, lse, on_lse, p->lse_count);
    backend->ops->free(backend, on_qkv);
}

static void run(struct df_backend *backend, struct problem *p, bool need_dk)
{
    run_forward(backend, p, p->qkv, p->out, p->lse);
    float *qkv = put_floats(backend, p->qkv, 3 * p->out_count),
          *out = put_floats(backend, p->out, p->out_count);
    float *lse = put_floats(backend, p->lse, p->lse_count),
          *dout = put_floats(backend, p->dout, p->out_count);
    float *dqkv = put_floats(backend, p->dqkv, 3 * p->out_count);

    assert_int_equal(backend->ops->attention_backward(backend, p->shape, qkv, out, lse, dout, dqkv, need_dk),
                     0);
    get_floats(backend, p->dqkv, dqkv, 3 * p->out_count);
    backend->ops->free(backend, qkv);
    backend->ops->free(backend, out);
    backend->ops->free(backend, lse);
    backend->ops->free(backend, dout);
}

static void check(struct df_backend *backend, struct problem *p)
{
    const int64_t n = p->shape.tokens, heads = p->shape.heads;
    double *probabilities = calloc((size_t)n, sizeof(double));
    double *out = calloc((size_t)p->out_count, sizeof(double));
    double *dqkv = calloc((size_t)p->out_count * 3, sizeof(double));

    assert_true(probabilities && out && dqkv);
    run(backend, p, true);
    for (int64_t row = 0; row < p->lse_count; row++) {
        const int64_t query = row % n, head = row / n % heads, image = row / n / heads;
        assert_close(p->lse[row], softmax_row(p, image, head, query, probabilities), 1e-5);
        reference_query(p, image, head, query, probabilities, out, dqkv);
    }
    for (int64_t i = 0; i < p->out_count; i++)
        assert_close(p->out[i], out[i], 2e-6);
    for (int64_t i = 0; i < 3 * p->out_count; i++)
        assert_close(p->dqkv[i], dqkv[i], 1e-5);
    free(probabilities);
    free(out);
    free(dqkv);
}

static void test_shapes(void **state)
{
    static const int64_t shapes[][4] = {{1, 1, 1, 64},   {2, 2, 1, 64},    {2, 17, 3, 64}, {1, 128, 2, 64},
                                        {2, 129, 1, 64}, {1, 300, 2, 128}, {1, 5, 2, 12}};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (shapes[i][3] % 64 != 0 && !test_on_cpu())
            continue; /* more than the interface asks for */
        struct problem p = make_problem(shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
        check(*state, &p);
        free_problem(&p);
    }
}

static void test_image_of_490(void **state)
{
    struct problem p = make_problem(1, test_is_emulated() ? 401 : 1226, 1, 64);

    check(*state, &p);
    free_problem(&p);
}

/* Scores far outside the range of exp: the row's maximum must be taken off first. */
static void test_large_scores(void **state)
{
    struct problem p = make_problem(1, 40, 2, 64);

    for (int64_t i = 0; i < 40 * 3 * p.dim; i++)
        p.qkv[i] *= i / p.dim % 3 == 0 ? 400.0f : 1.0f; /* q */
    run(*state, &p, true);
    for (int64_t i = 0; i < p.out_count; i++)
        assert_true(fabsf(p.out[i]) <= 1.0f);
    for (int64_t i = 0; i < 3 * p.out_count; i++)
        assert_true(isfinite(p.dqkv[i]));
    free_problem(&p);
}

static void test_without_lse(void **state)
{
    struct df_backend *backend = *state;
    struct problem p = make_problem(2, 131, 2, 64);
    float *out = nan_array(p.out_count);

    run(backend, &p, true);
    run_forward(backend, &p, p.qkv, out, NULL);
    assert_same_bits(p.out, out, p.out_count);
    free(out);
    free_problem(&p);
}

static void test_without_dk(void **state)
{
    struct problem p = make_problem(2, 131, 2, 64);

    run(*state, &p, true);
    float *all = copy_array(p.dqkv, 3 * p.out_count);
    run(*state, &p, false);
    for (int64_t part = 0; part < 3 * p.out_count / p.dim; part++) {
        if (part % 3 != 1)
            assert_same_bits(p.dqkv + part * p.dim, all + part * p.dim, p.dim);
    }
    free(all);
    free_problem(&p);
}

/* sum(out * dout) with qkv moved by step along `way`. */
static double loss(struct df_backend *backend, const struct problem *p, const float *way, float step)
{
    float *qkv = copy_array(p->qkv, 3 * p->out_count), *out = nan_array(p->out_count);

    for (int64_t i = 0; i < 3 * p->out_count; i++)
        qkv[i] += step * way[i];
    run_forward(backend, p, qkv, out, NULL);
    double sum = dot(out, p->dout, p->out_count);
    free(qkv);
    free(out);
    return sum;
}

static void test_finite_differences(void **state)
{
    const float step = 0x1p-7f;

    for (int part = 0; part < 4; part++) { /* along q, k, v and all of them */
        struct problem p = make_problem(2, 150, 2, 64);
        float *way = random_array(3 * p.out_count, 7);
        for (int64_t i = 0; i < 3 * p.out_count; i++)
            way[i] = part == 3 || i / p.dim % 3 == part ? way[i] : 0.0f;
        run(*state, &p, true);
        double slope = (loss(*state, &p, way, step) - loss(*state, &p, way, -step)) / (2.0 * step);
        assert_close(dot(p.dqkv, way, 3 * p.out_count), slope, 2e-3 + 1e-3 * fabs(slope));
        free(way);
        free_problem(&p);
    }
}

/* The same bits on 1, 2 and 3 threads, and twice on the same. */
static void test_threads(void **state)
{
    struct problem p = make_problem(2, 333, 3, 64), q = make_problem(2, 333, 3, 64);

    (void)state;
    for (int i = 0; i < (test_on_cpu() ? 4 : 2); i++) {
        struct df_backend *backend = test_open_backend("fp32", i ? i : 1);
        struct problem *result = i ? &q : &p;
        assert_non_null(backend);
        run(backend, result, true);
        assert_same_bits(p.out, result->out, p.out_count);
        assert_same_bits(p.lse, result->lse, p.lse_count);
        assert_same_bits(p.dqkv, result->dqkv, 3 * p.out_count);
        df_backend_close(backend);
    }
    free_problem(&p);
    free_problem(&q);
}

/* A run that diverged must show it. */
static void test_not_a_number_spreads(void **state)
{
    struct df_backend *backend = *state;
    struct problem p = make_problem(1, 150, 1, 64);

    p.qkv[3 * p.dim] = NAN;             /* q of the second token */
    p.qkv[(3 * 140 + 2) * p.dim] = NAN; /* one channel of a late token's v */
    run_forward(backend, &p, p.qkv, p.out, p.lse);
    assert_true(isnan(p.lse[1]) && isnan(p.out[p.dim]) && isnan(p.out[p.dim + 1]));
    assert_false(isnan(p.lse[0]) || isnan(p.out[1]));
    assert_true(isnan(p.out[0]) && isnan(p.out[149 * p.dim]));
    free_problem(&p);
}

/* One product in every way that this processor has, against double sums. */
static void check_product(int64_t m, int64_t n, int64_t k, bool transposed, bool accumulate)
{
    const int64_t ldc = df_panel_columns(n), lda = k + 1, ldb = transposed ? k + 4 : n + 3;
    float *a = random_array(m * lda, 1), *b = random_array((transposed ? n : k) * ldb, 2);
    float *before = random_array(m * ldc, 3), *packed = nan_array(k * ldc);

    for (int isa = 0; isa <= (int)df_f32_isa_best(); isa++) {
        const struct df_attention_kernels *kernels = &df_attention_f32[isa];
        float *c = copy_array(before, m * ldc);
        (transposed ? kernels->pack_transposed : kernels->pack)(b, k, n, ldb, packed);
        kernels->gemm(&(struct df_packed_gemm){m, n, k, a, lda, packed, c, ldc, accumulate});
        for (int64_t i = 0; i < m; i++) {
            for (int64_t j = 0; j < n; j++) {
                double sum = accumulate ? before[i * ldc + j] : 0.0;
                for (int64_t l = 0; l < k; l++)
                    sum += (double)a[i * lda + l] * b[transposed ? j * ldb + l : l * ldb + j];
                assert_close(c[i * ldc + j], sum, 1e-6 * (double)(k + 4));
            }
        }
        free(c);
    }
    free(a);
    free(b);
    free(before);
    free(packed);
}

static void test_products(void **state)
{
    static const int64_t sizes[] = {1, 2, 5, 6, 7, 16, 17, 33, 50, 64, 65, 131};
    const size_t count = sizeof sizes / sizeof *sizes;

    (void)state;
    if (!test_on_cpu())
        skip();
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++)
            check_product(sizes[i], sizes[j], sizes[(i + j) % count], i % 2, (i + j) % 2);
    }
}

static int open_backend(void **state)
{
    *state = test_open_backend("fp32", 2);
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
        cmocka_unit_test_setup_teardown(test_shapes, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(test_image_of_490, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(test_large_scores, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(test_without_lse, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(test_without_dk, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(test_finite_differences, open_backend, close_backend),
        cmocka_unit_test_setup_teardown(test_not_a_number_spreads, open_backend, close_backend),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
