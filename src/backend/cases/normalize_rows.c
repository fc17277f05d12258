/* Rows divided by their norms. */
#include "build.h"

#include <math.h>

enum { ROWS, COLUMNS, IN_PLACE, ZEROS };
enum { X, Y };

/* Rows of a lane, a warp, and more; blocks that are not full; a row of zeros, which stays. */
static const int64_t odd[][DF_CASE_SIZES] = {
    {1, 1},  {3, 5},    {0, 5},        {5, 0},          {8, 32},
    {9, 33}, {17, 131}, {7, 64, true}, {11, 384, true}, {3, 40, false, true},
};

static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ROWS] = m->batch * df_case_patches(m);
    n[0][COLUMNS] = m->dim;
    return 1;
}

static int y_of(const struct df_case *c)
{
    return c->n[IN_PLACE] ? X : Y;
}

static void normalize_rows_build(struct df_case *c)
{
    const int64_t count = c->n[ROWS] * c->n[COLUMNS];

    if (c->n[IN_PLACE])
        df_case_in_out(c, DF_F32, count, 0.5, 2.0, 1e-6);
    else
        df_case_in(c, DF_F32, count, 0.5, 2.0);
    for (int64_t i = 0; c->n[ZEROS] && i < c->n[COLUMNS] && c->tensors[X].values; i++)
        c->tensors[X].values[c->n[COLUMNS] + i] = 0.0f;
    if (!c->n[IN_PLACE])
        df_case_out(c, DF_F32, count, 1e-6);
}

static int normalize_rows_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->normalize_rows(run->backend, run->memory[X], c->n[ROWS], c->n[COLUMNS],
                                             run->memory[y_of(c)]);
}

static void normalize_rows_expect(struct df_case *c)
{
    for (int64_t row = 0; row < c->n[ROWS]; row++) {
        const float *x = c->tensors[X].values + row * c->n[COLUMNS];
        double squares = 0.0;
        for (int64_t i = 0; i < c->n[COLUMNS]; i++)
            squares += (double)x[i] * (double)x[i];
        for (int64_t i = 0; i < c->n[COLUMNS]; i++)
            c->tensors[y_of(c)].expected[row * c->n[COLUMNS] + i] = (double)x[i] / fmax(sqrt(squares), 1e-12);
    }
}

DF_CASE_SET(normalize_rows, odd, uses);
