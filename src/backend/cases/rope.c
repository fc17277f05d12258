/* Rotary position embedding. */
#include "build.h"

/* qkv [B, N, 3, heads, head size], sin, cos [P, head size]. The two halves of a row of the tables have
 * nothing to do with each other: it need not be a rotation. */
enum { BATCH, TOKENS, HEADS, HEAD_SIZE, PREFIX, INVERSE };
enum { QKV, SIN, COS };

#define WAYS(batch, tokens, heads, size, prefix)                                                             \
    {batch, tokens, heads, size, prefix},                                                                    \
    {                                                                                                        \
        batch, tokens, heads, size, prefix, true                                                             \
    }
static const int64_t odd[][DF_CASE_SIZES] = {
    WAYS(1, 1, 1, 64, 0),   WAYS(2, 6, 1, 64, 5),
    WAYS(1, 5, 3, 64, 1),   WAYS(2, 3, 9, 64, 0),
    WAYS(1, 22, 3, 64, 2),  WAYS(2, 3, 1, 128, 0),
    WAYS(2, 7, 1, 128, 1),  WAYS(2, 22, 3, 128, 5),
    WAYS(1, 13, 5, 128, 2), WAYS(1, 2, 1, 64, 2) /* no patches */,
};

static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][TOKENS] = df_case_tokens(m);
    n[0][HEADS] = m->heads;
    n[0][HEAD_SIZE] = m->head_size;
    n[0][PREFIX] = m->prefix;
    return 1;
}

static void rope_build(struct df_case *c)
{
    const int64_t table = (c->n[TOKENS] - c->n[PREFIX]) * c->n[HEAD_SIZE];

    df_case_in_out(c, c->act, c->n[BATCH] * c->n[TOKENS] * 3 * c->n[HEADS] * c->n[HEAD_SIZE], 0.0, 1.0, 5e-7);
    df_case_in(c, DF_F32, table, 0.0, 0.5);
    df_case_in(c, DF_F32, table, 0.0, 0.5);
}

static int rope_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_attention_shape shape = {c->n[BATCH], c->n[TOKENS], c->n[HEADS], c->n[HEAD_SIZE]};
    return run->backend->ops->rope(run->backend, run->memory[QKV], shape, c->n[PREFIX], run->memory[SIN],
                                   run->memory[COS], c->n[INVERSE]);
}

/* A pair of channels of a head, one from each half, is multiplied with a matrix; the inverse is that with
 * its transpose. */
static void turn(const struct df_case *c, int64_t head_at, int64_t patch, int64_t channel)
{
    const int64_t half = c->n[HEAD_SIZE] / 2, at = patch * c->n[HEAD_SIZE] + channel;
    const float *sin = c->tensors[SIN].values + at, *cos = c->tensors[COS].values + at;
    const double matrix[2][2] = {{(double)cos[0], -(double)sin[0]}, {(double)sin[half], (double)cos[half]}};

    for (int64_t i = 0; i < 2; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < 2; j++)
            sum += (c->n[INVERSE] ? matrix[j][i] : matrix[i][j]) *
                   (double)c->tensors[QKV].values[head_at + j * half + channel];
        c->tensors[QKV].expected[head_at + i * half + channel] = sum;
    }
}

static void rope_expect(struct df_case *c)
{
    const int64_t tokens = c->n[TOKENS], patches = tokens - c->n[PREFIX], heads = c->n[HEADS];

    for (int64_t i = 0; i < c->n[BATCH] * patches; i++) {
        const int64_t token = i / patches * tokens + c->n[PREFIX] + i % patches;
        for (int64_t head = 0; head < 2 * heads; head++) /* of q and k */
            for (int64_t channel = 0; channel < c->n[HEAD_SIZE] / 2; channel++)
                turn(c, (token * 3 * heads + head) * c->n[HEAD_SIZE], i % patches, channel);
    }
}

DF_CASE_SET(rope, odd, uses);
