/* Attention: scores as random tokens have them, and scores that are hard to exponentiate. */
#include "build.h"

#include <math.h>
#include <string.h>

/* forward: qkv, out, lse or not; backward: qkv, what its forward pass gave, dout, dqkv. */
enum { QKV, OUT, LSE, DOUT, DQKV };

/* Without: the forward pass's lse, the backward pass's dk. */
enum { BATCH, TOKENS, HEADS, HEAD_SIZE, WITHOUT, SCORES, KEY, FACTOR };

enum scores {
    DRAWN,   /* from normal distributions */
    ALIKE,   /* all 0 */
    LARGE,   /* far outside the range of exp */
    PEAK,    /* the key KEY stands out, by FACTOR */
    LOW,     /* all near -250: the zeros that fill the last tile are out of exp's range */
    RISING,  /* from key to key, over more than the range of exp */
    FALLING, /* the other way */
    ROUNDED, /* All keys but one have a probability that bfloat16 rounds down by almost half a unit: with
                equal values the result is that value only if it is divided by the sum of what was rounded. */
};

/* Lengths about the blocks and tiles of the CPU (48, 64 and 128 queries, 128 keys) and of the kernels (32, 64
 * and 128); one head for three threads. */
#define SIZES                                                                                                \
    {1, 1, 1, 64}, {2, 2, 1, 64}, {2, 5, 3, 64}, {2, 17, 3, 64}, {1, 31, 1, 64}, {1, 32, 2, 64},             \
        {1, 33, 1, 64}, {1, 48, 2, 64}, {1, 63, 2, 64}, {2, 64, 1, 64}, {1, 65, 3, 64}, {1, 100, 1, 64},     \
        {1, 127, 1, 64}, {1, 128, 1, 64}, {1, 129, 1, 64}, {1, 257, 1, 64}, {1, 1, 1, 128}, {2, 5, 3, 128},  \
        {1, 31, 1, 128}, {1, 32, 2, 128}, {1, 33, 1, 128}, {1, 64, 1, 128}, {1, 65, 1, 128},                 \
        {1, 127, 1, 128}, {1, 130, 1, 128}, {1, 257, 1, 128}, {1, 65, 2, 64, true}, {1, 131, 1, 64, true},   \
        {1, 131, 1, 128, true}, {1, 70, 1, 64, false, ALIKE}, {1, 40, 2, 64, false, LARGE},                  \
        {1, 130, 1, 64, false, PEAK, 0, 30}, {1, 130, 1, 64, false, PEAK, 70, 30},                           \
        {1, 130, 1, 64, false, PEAK, 129, 30}, {1, 70, 1, 128, false, PEAK, 0, 3008},                        \
        {1, 70, 1, 128, false, PEAK, 40, 3008}, {1, 70, 1, 128, false, PEAK, 69, 3008},                      \
        {1, 70, 1, 64, false, LOW}, {1, 70, 1, 128, false, LOW}, {1, 130, 1, 64, false, RISING},             \
        {1, 130, 1, 64, false, FALLING},

static const int64_t forward_odd[][DF_CASE_SIZES] = {SIZES{1, 257, 1, 64, false, ROUNDED}};
static const int64_t backward_odd[][DF_CASE_SIZES] = {SIZES};

static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][TOKENS] = df_case_tokens(m);
    n[0][HEADS] = m->heads;
    n[0][HEAD_SIZE] = m->head_size;
    return 1;
}

static struct df_attention_shape shape_of(const struct df_case *c)
{
    return (struct df_attention_shape){c->n[BATCH], c->n[TOKENS], c->n[HEADS], c->n[HEAD_SIZE]};
}

static int64_t dim_of(const struct df_case *c)
{
    return c->n[HEADS] * c->n[HEAD_SIZE];
}

static int64_t out_count(const struct df_case *c)
{
    return c->n[BATCH] * c->n[TOKENS] * dim_of(c);
}

static int64_t lse_count(const struct df_case *c)
{
    return c->n[BATCH] * c->n[HEADS] * c->n[TOKENS];
}

/* A query, or a key: a token of one head. */
struct row {
    int64_t image, head, token;
};

/* Of element `index` of lse. */
static struct row row_of(const struct df_case *c, int64_t index)
{
    return (struct row){index / c->n[TOKENS] / c->n[HEADS], index / c->n[TOKENS] % c->n[HEADS],
                        index % c->n[TOKENS]};
}

/* Where the row's q (part 0), k (1) or v (2) begins in qkv, and where it does in out. */
static int64_t qkv_offset(const struct df_case *c, struct row row, int part)
{
    return ((row.image * c->n[TOKENS] + row.token) * 3 + part) * dim_of(c) + row.head * c->n[HEAD_SIZE];
}

static int64_t out_offset(const struct df_case *c, struct row row)
{
    return (row.image * c->n[TOKENS] + row.token) * dim_of(c) + row.head * c->n[HEAD_SIZE];
}

/* --- what goes in --- */

static void set_scores(const struct df_case *c, int64_t token, float *q, float *k, float *v)
{
    const size_t bytes = (size_t)c->n[HEAD_SIZE] * sizeof *q;
    const enum scores scores = (enum scores)c->n[SCORES];

    if (scores == ALIKE || scores == ROUNDED)
        memset(q, 0, bytes);
    if (scores == LARGE) {
        for (int64_t i = 0; i < c->n[HEAD_SIZE]; i++)
            q[i] *= 128.0f;
    } else if (scores == PEAK) {
        q[0] = 4.0f;
        k[0] = token == c->n[KEY] ? (float)c->n[FACTOR] : 0.0f;
    } else if (scores == LOW) {
        q[0] = 20.0f;
        k[0] = -100.0f;
    } else if (scores == RISING || scores == FALLING) {
        q[0] = scores == RISING ? 16.0f : -16.0f;
        k[0] = (float)(token - 65) * 4.0f;
    } else if (scores == ROUNDED) {
        memset(k, 0, bytes);
        q[0] = q[1] = 1.0f;
        k[0] = token == 3 ? 5.5f : 0.0f; /* exp(-5.515625 / 8) = 0.50186, of which 0.5 is kept */
        k[1] = token == 3 ? 0.015625f : 0.0f;
        for (int64_t i = 0; i < c->n[HEAD_SIZE]; i++)
            v[i] = 1.5f;
    }
}

/* Sums over drawn probabilities are about so much smaller than what is summed. */
static float shrinkage(const struct df_case *c)
{
    return c->n[SCORES] == DRAWN ? exp2f(roundf(0.5f * log2f((float)c->n[TOKENS]))) : 1.0f;
}

/* v is drawn `scale` times as large as q and k. */
static void add_qkv(struct df_case *c, float scale)
{
    df_case_in(c, c->act, 3 * out_count(c), 0.0, 1.0);
    float *qkv = c->tensors[QKV].values;
    for (int64_t i = 0; qkv && i < lse_count(c); i++) {
        const struct row row = row_of(c, i);
        float *v = qkv + qkv_offset(c, row, 2);
        for (int64_t j = 0; j < c->n[HEAD_SIZE]; j++)
            v[j] *= scale;
        set_scores(c, row.token, qkv + qkv_offset(c, row, 0), qkv + qkv_offset(c, row, 1), v);
    }
}

/* --- forward --- */

static bool is_sharp(const struct df_case *c)
{
    return c->n[SCORES] >= LARGE && c->n[SCORES] != ROUNDED;
}

static void add_results(struct df_case *c, bool lse)
{
    const double exact = is_sharp(c) ? 2e-4 : 1.5e-5;

    df_case_out(c, c->act, out_count(c),
                c->n[SCORES] == ROUNDED ? 4e-6 : df_case_tolerance(c, exact, 1.6e-2));
    if (lse)
        df_case_out(c, DF_F32, lse_count(c), df_case_tolerance(c, 3e-6, 6e-6));
}

static void attention_forward_build(struct df_case *c)
{
    add_qkv(c, shrinkage(c));
    add_results(c, !c->n[WITHOUT]);
}

static int run_forward(const struct df_case *c, struct df_case_run *run, bool lse)
{
    return run->backend->ops->attention_forward(run->backend, shape_of(c), run->memory[QKV], run->memory[OUT],
                                                lse ? run->memory[LSE] : NULL);
}

static int attention_forward_call(const struct df_case *c, struct df_case_run *run)
{
    return run_forward(c, run, !c->n[WITHOUT]);
}

static double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double score(const struct df_case *c, struct row query, struct row key)
{
    const float *qkv = c->tensors[QKV].values;
    return dot(qkv + qkv_offset(c, query, 0), qkv + qkv_offset(c, key, 1), c->n[HEAD_SIZE]) /
           sqrt((double)c->n[HEAD_SIZE]);
}

/* The log of the sum of exponentials of the query's scores. */
static double log_sum(const struct df_case *c, struct row query)
{
    double largest = -INFINITY, sum = 0.0;

    for (struct row key = {query.image, query.head, 0}; key.token < c->n[TOKENS]; key.token++) {
        const double x = score(c, query, key), before = largest;
        largest = fmax(x, largest);
        sum = sum * exp(before - largest) + exp(x - largest);
    }
    return largest + log(sum);
}

static void expect_results(struct df_case *c, bool lse)
{
    const float *qkv = c->tensors[QKV].values;

    for (int64_t i = 0; i < lse_count(c); i++) {
        const struct row query = row_of(c, i);
        const double total = log_sum(c, query);
        double *out = c->tensors[OUT].expected + out_offset(c, query);
        for (struct row key = {query.image, query.head, 0}; key.token < c->n[TOKENS]; key.token++) {
            const double probability = exp(score(c, query, key) - total);
            for (int64_t j = 0; j < c->n[HEAD_SIZE]; j++)
                out[j] += probability * (double)qkv[qkv_offset(c, key, 2) + j];
        }
        if (lse)
            c->tensors[LSE].expected[i] = total;
    }
}

static void attention_forward_expect(struct df_case *c)
{
    expect_results(c, !c->n[WITHOUT]);
}

DF_CASE_SET(attention_forward, forward_odd, uses, .is_product = true);

/* --- backward --- */

/* How near gradients can come. The scores' are sums of almost equal numbers where probabilities are near 0
 * and 1, and are multiplied with queries and keys that are large there. */
static double gradient_tolerance(const struct df_case *c)
{
    return is_sharp(c) ? df_case_tolerance(c, 3e-3, 0.25) : df_case_tolerance(c, 1.5e-5, 3.5e-2);
}

static void attention_backward_build(struct df_case *c)
{
    add_qkv(c, is_sharp(c) ? 0.0625f : 1.0f);
    add_results(c, true);
    df_case_in(c, c->act, out_count(c), 0.0, (double)shrinkage(c));
    df_case_out(c, c->act, 3 * out_count(c), gradient_tolerance(c));
}

static int attention_backward_prepare(const struct df_case *c, struct df_case_run *run)
{
    return run_forward(c, run, true);
}

static int attention_backward_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->attention_backward(run->backend, shape_of(c), run->memory[QKV],
                                                 run->memory[OUT], run->memory[LSE], run->memory[DOUT],
                                                 run->memory[DQKV], !c->n[WITHOUT]);
}

/* What the pair adds to the gradients. delta: dout * out of the query. */
static void add_pair(struct df_case *c, struct row query, struct row key, double probability, double delta)
{
    const float *qkv = c->tensors[QKV].values, *dout = c->tensors[DOUT].values + out_offset(c, query);
    const int64_t q = qkv_offset(c, query, 0), k = qkv_offset(c, key, 1), v = qkv_offset(c, key, 2);
    double *dqkv = c->tensors[DQKV].expected;
    const double dscore = probability * (dot(dout, qkv + v, c->n[HEAD_SIZE]) - delta);
    const double dproduct = dscore / sqrt((double)c->n[HEAD_SIZE]);

    for (int64_t i = 0; i < c->n[HEAD_SIZE]; i++) {
        dqkv[q + i] += dproduct * (double)qkv[k + i];
        dqkv[k + i] += dproduct * (double)qkv[q + i];
        dqkv[v + i] += probability * (double)dout[i];
    }
}

static void attention_backward_expect(struct df_case *c)
{
    expect_results(c, true);
    for (int64_t i = 0; i < lse_count(c); i++) {
        const struct row query = row_of(c, i);
        const int64_t at = out_offset(c, query);
        double delta = 0.0;
        for (int64_t j = 0; j < c->n[HEAD_SIZE]; j++)
            delta += (double)c->tensors[DOUT].values[at + j] * c->tensors[OUT].expected[at + j];
        for (struct row key = {query.image, query.head, 0}; key.token < c->n[TOKENS]; key.token++)
            add_pair(c, query, key, exp(score(c, query, key) - c->tensors[LSE].expected[i]), delta);
    }
    for (int64_t i = 0; c->n[WITHOUT] && i < 3 * out_count(c); i++) {
        if (i / dim_of(c) % 3 == 1)
            c->tensors[DQKV].expected[i] = NAN; /* every backend leaves what was there */
    }
}

static double attention_objective(const struct df_case *c)
{
    const float *qkv = c->tensors[QKV].values, *dout = c->tensors[DOUT].values;
    double sum = 0.0;

    for (int64_t i = 0; i < lse_count(c); i++) {
        const struct row query = row_of(c, i);
        const double total = log_sum(c, query);
        for (struct row key = {query.image, query.head, 0}; key.token < c->n[TOKENS]; key.token++)
            sum += exp(score(c, query, key) - total) *
                   dot(dout + out_offset(c, query), qkv + qkv_offset(c, key, 2), c->n[HEAD_SIZE]);
    }
    return sum;
}

DF_CASE_SET(attention_backward, backward_odd, uses, .prepare = attention_backward_prepare,
            .objective = attention_objective, .gradients = {{QKV, DQKV}}, .n_gradients = 1,
            .is_product = true);
