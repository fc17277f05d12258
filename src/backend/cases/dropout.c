/* Dropout. */
#include "build.h"

#include "../dropout_bits.h"

#include <string.h>

enum { ROWS, COLS, PERCENT, STREAM, IN_PLACE };
enum { X, DRAW, Y };

static const int64_t dropout_odd[][DF_CASE_SIZES] = {
    {0, 3, 10},        {1, 1, 50},           {1, 7, 50, 1},    {5, 17, 10, 2}, {3, 256, 90, 3, true},
    {70, 257, 30, 47}, {129, 3, 1, 4, true}, {2, 1031, 60, 5},
};

static int dropout_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ROWS] = df_case_rows(m);
    n[0][COLS] = m->dim;
    n[0][PERCENT] = 10;
    return 1;
}

static double probability_of(const struct df_case *c)
{
    return (double)c->n[PERCENT] / 100.0;
}

static void dropout_build(struct df_case *c)
{
    const int64_t count = c->n[ROWS] * c->n[COLS];

    if (c->n[IN_PLACE])
        df_case_in_out(c, c->act, count, 0.0, 1.0, 1e-6);
    else
        df_case_in(c, c->act, count, 0.0, 1.0);
    df_case_in_bytes(c, (int64_t)sizeof(struct df_dropout_draw), 256, false);
    if (!c->n[IN_PLACE])
        df_case_out(c, c->act, count, 1e-6);
}

static int dropout_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->dropout(run->backend, run->memory[X], run->memory[DRAW], (uint64_t)c->n[STREAM],
                                      probability_of(c), run->memory[c->n[IN_PLACE] ? X : Y], c->n[ROWS],
                                      c->n[COLS]);
}

static void dropout_expect(struct df_case *c)
{
    const double probability = probability_of(c);
    double *expected = c->tensors[c->n[IN_PLACE] ? X : Y].expected;
    struct df_dropout_draw draw;

    memcpy(&draw, c->tensors[DRAW].bytes, sizeof draw);
    for (int64_t i = 0; i < c->n[ROWS]; i++) {
        const uint64_t row = df_dropout_row(draw.key, (uint64_t)c->n[STREAM], draw.first_row + (uint64_t)i,
                                            (uint64_t)c->n[COLS]);
        for (int64_t j = 0; j < c->n[COLS]; j++) {
            const int64_t at = i * c->n[COLS] + j;
            const bool dropped = df_dropout_bits(row, (uint64_t)j) < df_dropout_bound(probability);
            expected[at] = dropped ? 0.0 : (double)c->tensors[X].values[at] / (1.0 - probability);
        }
    }
}

DF_CASE_SET(dropout, dropout_odd, dropout_uses);
