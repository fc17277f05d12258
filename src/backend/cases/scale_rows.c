/* The rows of a matrix, each times a number. */
#include "build.h"

enum { ROWS, COLS, IN_PLACE };
enum { X, SCALE, Y };

static const int64_t scale_rows_odd[][DF_CASE_SIZES] = {
    {0, 3},   {1, 1},         {5, 1},   {1, 7},          {3, 5, true}, {17, 16},
    {129, 3}, {127, 2, true}, {384, 3}, {1000, 3, true}, {70, 257},
};

/* Of LoRA behind a layer scale. */
static int scale_rows_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ROWS] = m->dim;
    n[0][COLS] = m->rank;
    return 1;
}

static void scale_rows_build(struct df_case *c)
{
    const int64_t count = c->n[ROWS] * c->n[COLS];

    if (c->n[IN_PLACE])
        df_case_in_out(c, DF_F32, count, 0.0, 1.0, 0.0);
    else
        df_case_in(c, DF_F32, count, 0.0, 1.0);
    df_case_in(c, DF_F32, c->n[ROWS], 0.0, 1.0);
    if (!c->n[IN_PLACE])
        df_case_out(c, DF_F32, count, 0.0);
}

static int scale_rows_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->scale_rows(run->backend, run->memory[X], run->memory[SCALE],
                                         run->memory[c->n[IN_PLACE] ? X : Y], c->n[ROWS], c->n[COLS]);
}

static void scale_rows_expect(struct df_case *c)
{
    double *expected = c->tensors[c->n[IN_PLACE] ? X : Y].expected;

    for (int64_t i = 0; i < c->n[ROWS] * c->n[COLS]; i++)
        expected[i] = (double)(c->tensors[X].values[i] * c->tensors[SCALE].values[i / c->n[COLS]]);
}

DF_CASE_SET(scale_rows, scale_rows_odd, scale_rows_uses);
