/* The tables of rotary position embedding. */
#include "build.h"

#include <math.h>

enum { TABLES, H, W, HEAD_SIZE };
enum { PERIODS, RESCALE, RESULT };

static const int64_t rope_tables_odd[][DF_CASE_SIZES] = {
    {0, 3, 4, 64}, {1, 1, 1, 64}, {1, 3, 5, 64}, {3, 7, 2, 64}, {2, 1, 9, 128}, {5, 4, 4, 4}, {1, 31, 17, 64},
};

static int rope_tables_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][TABLES] = m->depth;
    n[0][H] = m->height / m->patch;
    n[0][W] = m->width / m->patch;
    n[0][HEAD_SIZE] = m->head_size;
    return 1;
}

/* Angles are some multiples of 2 pi at most, as in models: their last bits are what the tolerance is for. */
static void rope_tables_build(struct df_case *c)
{
    const int64_t quarter = c->n[HEAD_SIZE] / 4;

    df_case_in(c, DF_F32, quarter, 0.0, 1.0);
    df_case_in(c, DF_F32, c->n[TABLES], 0.0, 1.0);
    df_case_out(c, DF_F32, c->n[TABLES] * 2 * c->n[H] * c->n[W] * c->n[HEAD_SIZE], 4e-6);
    if (c->failed)
        return;
    for (int64_t i = 0; i < quarter; i++)
        c->tensors[PERIODS].values[i] = (float)pow(100.0, (double)i / (double)quarter);
    for (int64_t i = 0; i < c->n[TABLES]; i++)
        c->tensors[RESCALE].values[i] = (float)exp2(0.4 * (double)i - 1.0);
}

static int rope_tables_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->rope_tables(run->backend, run->memory[PERIODS], run->memory[RESCALE],
                                          c->n[TABLES], c->n[H], c->n[W], c->n[HEAD_SIZE],
                                          run->memory[RESULT]);
}

static double angle_of(const struct df_case *c, int64_t table, int64_t patch, int64_t channel)
{
    const int64_t quarter = c->n[HEAD_SIZE] / 4, h = c->n[H], w = c->n[W];
    const int64_t i = channel % (2 * quarter);
    const double place =
        i < quarter ? ((double)(patch / w) + 0.5) / (double)h : ((double)(patch % w) + 0.5) / (double)w;

    return 2.0 * acos(-1.0) * (2.0 * place - 1.0) * (double)c->tensors[RESCALE].values[table] /
           (double)c->tensors[PERIODS].values[i % quarter];
}

static void rope_tables_expect(struct df_case *c)
{
    const int64_t patches = c->n[H] * c->n[W], size = c->n[HEAD_SIZE];
    double *result = c->tensors[RESULT].expected;

    for (int64_t table = 0; table < c->n[TABLES]; table++)
        for (int64_t patch = 0; patch < patches; patch++)
            for (int64_t channel = 0; channel < size; channel++) {
                const int64_t at = (2 * table * patches + patch) * size + channel;
                const double angle = angle_of(c, table, patch, channel);
                result[at] = sin(angle);
                result[at + patches * size] = cos(angle);
            }
}

DF_CASE_SET(rope_tables, rope_tables_odd, rope_tables_uses);
