/* Flash attention's kernels against plain loops in double precision: every tail of their tiles,
 * both types, both head sizes. */
#include "backend/attention_problem.h"
#include "device_arrays.h"

#include "kernels/kernels.h"

/* A problem on the device, in one of the types, and what its kernels made of it. */
struct trial {
    struct problem host; /* inputs as the type holds them */
    enum df_dtype type;
    void *qkv, *dout, *out, *dqkv, *scratch;
    float *lse;
};

/* Values, rounded to the type, on the device. */
static void *put_rounded(enum df_dtype type, float *values, int64_t count)
{
    round_to(type, values, count);
    return put_values(values, count, type);
}

/* Takes the problem over. Results are NaN until they are written. */
static struct trial make_trial(struct problem host, enum df_dtype type)
{
    struct trial t = {.host = host, .type = type};

    t.qkv = put_rounded(type, host.qkv, 3 * host.out_count);
    t.dout = put_rounded(type, host.dout, host.out_count);
    t.out = put_values(host.out, host.out_count, type);
    t.dqkv = put_values(host.dqkv, 3 * host.out_count, type);
    t.lse = put_values(host.lse, host.lse_count, DF_F32);
    t.scratch = device_room(df_launch_attention_backward_scratch(host.shape, type));
    return t;
}

static void free_trial(struct trial *t)
{
    release_arrays();
    free_problem(&t->host);
}

static void get_result(float *result, const void *device, int64_t count, enum df_dtype type)
{
    memcpy(result, get_values(device, count, type), (size_t)count * sizeof *result);
}

static void run_forward(struct trial *t)
{
    assert_ran(df_launch_attention_forward(NULL, t->host.shape, t->type, t->qkv, t->out, t->lse));
    get_result(t->host.out, t->out, t->host.out_count, t->type);
    get_result(t->host.lse, t->lse, t->host.lse_count, DF_F32);
}

static void run_backward(struct trial *t, bool need_dk)
{
    assert_ran(df_launch_attention_backward(NULL, t->host.shape, t->type, t->qkv, t->out, t->lse, t->dout,
                                            t->dqkv, need_dk, t->scratch));
    get_result(t->host.dqkv, t->dqkv, 3 * t->host.out_count, t->type);
}

/* Distance relative to the expected array's length; part: of q, k or v alone, -1: all. */
static void check_array(const struct trial *t, const char *what, const float *got, const double *expected,
                        int64_t count, int part, double tolerance)
{
    double distance = 0.0, length = 0.0;

    for (int64_t i = 0; i < count; i++) {
        if (part >= 0 && i / t->host.dim % 3 != part)
            continue;
        const double difference = (double)got[i] - expected[i];
        distance += difference * difference;
        length += expected[i] * expected[i];
    }
    if (!(sqrt(distance) <= tolerance * sqrt(length) + 1e-6))
        fail_msg("%s of %s, N %lld, %lld heads of %lld, batch %lld: distance %.3g of length %.3g", what,
                 t->type == DF_BF16 ? "bfloat16" : "float32", (long long)t->host.shape.tokens,
                 (long long)t->host.shape.heads, (long long)t->host.shape.head_size,
                 (long long)t->host.shape.batch, sqrt(distance), sqrt(length));
}

/* Both passes of a problem against the loops. sharp: probabilities are so near 0 and 1 that the gradients of
 * scores are differences of almost equal numbers, of which nothing but the size is known. */
static void check(struct problem host, enum df_dtype type, bool sharp)
{
    struct trial t = make_trial(host, type);
    const struct problem *p = &t.host;
    const int64_t n = p->shape.tokens, heads = p->shape.heads;
    const double tolerance = type == DF_BF16 ? 4e-3 : sharp ? 1e-4 : 2e-6;
    double *probabilities = calloc((size_t)n, sizeof(double));
    double *out = calloc((size_t)p->out_count, sizeof(double));
    double *dqkv = calloc((size_t)p->out_count * 3, sizeof(double));

    assert_true(probabilities && out && dqkv);
    run_forward(&t);
    run_backward(&t, true);
    for (int64_t row = 0; row < p->lse_count; row++) {
        const int64_t query = row % n, head = row / n % heads, image = row / n / heads;
        const double lse = softmax_row(p, image, head, query, probabilities);
        assert_close(p->lse[row], lse, 2e-6 * (1.0 + fabs(lse)));
        reference_query(p, image, head, query, probabilities, out, dqkv);
    }
    check_array(&t, "out", p->out, out, p->out_count, -1, tolerance);
    for (int part = 0; part < 2 && !sharp; part++)
        check_array(&t, part ? "dk" : "dq", p->dqkv, dqkv, 3 * p->out_count, part, tolerance);
    for (int64_t i = 0; i < 3 * p->out_count; i++)
        assert_true(isfinite(p->dqkv[i]));
    check_array(&t, "dv", p->dqkv, dqkv, 3 * p->out_count, 2, tolerance);
    free_trial(&t);
    free(probabilities);
    free(out);
    free(dqkv);
}

static void shapes(enum df_dtype type, int64_t head_size)
{
    static const int64_t list[][3] = {{1, 1, 1},   {2, 5, 3},   {1, 31, 1},  {1, 32, 2},
                                      {1, 33, 1},  {1, 63, 2},  {2, 64, 1},  {1, 65, 3},
                                      {1, 100, 1}, {2, 127, 1}, {1, 130, 2}, {1, 257, 1}};

    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        check(make_problem(list[i][0], list[i][1], list[i][2], head_size), type, false);
}

static void test_bf16_64(void **state)
{
    (void)state;
    shapes(DF_BF16, 64);
}

static void test_bf16_128(void **state)
{
    (void)state;
    shapes(DF_BF16, 128);
}

static void test_f32_64(void **state)
{
    (void)state;
    shapes(DF_F32, 64);
}

static void test_f32_128(void **state)
{
    (void)state;
    shapes(DF_F32, 128);
}

/* One key's scores stand out by 4 * factor, before the scale. */
static struct problem sharp_problem(int64_t tokens, int64_t head_size, int64_t key, float factor)
{
    struct problem p = make_problem(1, tokens, 1, head_size);

    for (int64_t i = 0; i < tokens; i++) {
        float *q = p.qkv + place(&p, 0, i, 0, 0), *k = p.qkv + place(&p, 0, i, 1, 0);
        q[0] = 4.0f;
        k[0] = i == key ? factor : 0.0f;
    }
    return p;
}

/* All scores of a head near -250 (-177): those of the zeros beyond the last key are out of exp's range. */
static struct problem low_problem(int64_t tokens, int64_t head_size)
{
    struct problem p = make_problem(1, tokens, 1, head_size);

    for (int64_t i = 0; i < tokens; i++) {
        p.qkv[place(&p, 0, i, 0, 0)] = 20.0f;
        p.qkv[place(&p, 0, i, 1, 0)] = -100.0f;
    }
    return p;
}

/* One key's score far above all others', in the first tile, a middle one and the last; scores alike. */
static void test_extreme_scores(void **state)
{
    static const int64_t keys[] = {0, 70, 129};

    (void)state;
    for (int type = 0; type < 2; type++) {
        for (int i = 0; i < 3; i++) {
            check(sharp_problem(130, 64, keys[i], 30.0f), type ? DF_BF16 : DF_F32, true);
            check(sharp_problem(130, 128, keys[i], 3000.0f), type ? DF_BF16 : DF_F32, true);
        }
        check(low_problem(70, 64), type ? DF_BF16 : DF_F32, true);
        check(low_problem(70, 128), type ? DF_BF16 : DF_F32, true);
        struct problem p = make_problem(1, 130, 1, 64);
        for (int64_t i = 0; i < 130; i++)
            memset(p.qkv + place(&p, 0, i, 0, 0), 0, 64 * sizeof *p.qkv);
        check(p, type ? DF_BF16 : DF_F32, false);
    }
}

/* Scores far outside the range of exp, of either sign, that grow from tile to tile. */
static void test_growing_scores(void **state)
{
    (void)state;
    for (int type = 0; type < 2; type++) {
        for (int falling = 0; falling < 2; falling++) {
            struct problem p = make_problem(1, 200, 1, 64);
            for (int64_t i = 0; i < 200; i++) {
                float *q = p.qkv + place(&p, 0, i, 0, 0), *k = p.qkv + place(&p, 0, i, 1, 0);
                q[0] = falling ? -16.0f : 16.0f;
                k[0] = (float)(i - 100) * 4.0f;
            }
            check(p, type ? DF_BF16 : DF_F32, true);
        }
    }
}

/* All keys but one have a probability that bfloat16 rounds down by almost half a unit: with v = 1 the result
 * is 1 only if it is divided by the sum of what was rounded. */
static void test_probabilities_rounded_alike(void **state)
{
    struct problem p = make_problem(1, 257, 1, 64);

    (void)state;
    for (int64_t i = 0; i < 257; i++) {
        float *q = p.qkv + place(&p, 0, i, 0, 0), *k = p.qkv + place(&p, 0, i, 1, 0);
        memset(q, 0, 64 * sizeof *q);
        memset(k, 0, 64 * sizeof *k);
        q[0] = q[1] = 1.0f;
        k[0] = i == 3 ? 5.5f : 0.0f; /* exp(-5.515625 / 8) = 0.50186, of which 0.5 is kept */
        k[1] = i == 3 ? 0.015625f : 0.0f;
        for (int64_t j = 0; j < 64; j++)
            p.qkv[place(&p, 0, i, 2, 0) + j] = 1.0f;
    }
    struct trial t = make_trial(p, DF_BF16);
    run_forward(&t);
    for (int64_t i = 0; i < p.out_count; i++)
        assert_true(p.out[i] == 1.0f);
    free_trial(&t);
}

static void test_without_lse(void **state)
{
    (void)state;
    for (int type = 0; type < 2; type++) {
        struct trial t = make_trial(make_problem(1, 65, 2, 64), type ? DF_BF16 : DF_F32);
        run_forward(&t);
        float *out = copy_array(t.host.out, t.host.out_count);
        assert_ran(df_launch_attention_forward(NULL, t.host.shape, t.type, t.qkv, t.out, NULL));
        get_result(t.host.out, t.out, t.host.out_count, t.type);
        assert_same_bits(t.host.out, out, t.host.out_count);
        free(out);
        free_trial(&t);
    }
}

/* dq and dv have the same bits without dk, and the same bits twice. */
static void test_without_dk(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct trial t = make_trial(make_problem(1, 131, 1, i / 2 ? 128 : 64), i % 2 ? DF_BF16 : DF_F32);
        const int64_t dim = t.host.dim;
        run_forward(&t);
        run_backward(&t, true);
        float *all = copy_array(t.host.dqkv, 3 * t.host.out_count);
        run_backward(&t, true);
        assert_same_bits(t.host.dqkv, all, 3 * t.host.out_count);
        run_backward(&t, false);
        for (int64_t part = 0; part < 3 * t.host.out_count / dim; part++) {
            if (part % 3 != 1)
                assert_same_bits(t.host.dqkv + part * dim, all + part * dim, dim);
        }
        free(all);
        free_trial(&t);
    }
}

/* A run that diverged must show it, and where. */
static void test_not_a_number_spreads(void **state)
{
    (void)state;
    for (int type = 0; type < 2; type++) {
        struct problem p = make_problem(1, 150, 1, 64);
        p.qkv[3 * p.dim] = NAN;             /* q of the second token */
        p.qkv[(3 * 140 + 2) * p.dim] = NAN; /* one channel of a late token's v */
        struct trial t = make_trial(p, type ? DF_BF16 : DF_F32);
        run_forward(&t);
        assert_true(isnan(p.lse[1]) && isnan(p.out[p.dim]) && isnan(p.out[p.dim + 1]));
        assert_false(isnan(p.lse[0]) || isnan(p.out[1]));
        assert_true(isnan(p.out[0]) && isnan(p.out[149 * p.dim]));
        free_trial(&t);
    }
}

/* --- RoPE --- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bf16_64),
        cmocka_unit_test(test_bf16_128),
        cmocka_unit_test(test_f32_64),
        cmocka_unit_test(test_f32_128),
        cmocka_unit_test(test_extreme_scores),
        cmocka_unit_test(test_growing_scores),
        cmocka_unit_test(test_probabilities_rounded_alike),
        cmocka_unit_test(test_without_lse),
        cmocka_unit_test(test_without_dk),
        cmocka_unit_test(test_not_a_number_spreads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
