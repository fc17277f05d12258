/* Sums over the rows of a matrix, and a bias added to each of them. */
#include "build.h"

/* A block of columns, from column FIRST on, of a matrix of LD; what stands beside it stays. */
enum { ROWS, COLS, FIRST, LD, NARROW, SHIFT = NARROW };
enum { X, OUT, BIAS = OUT };

/* Rows of vectors and others, lanes that have a column or several, one chunk of rows and many. */
#define BLOCKS(option)                                                                                       \
    {1, 1, 0, 1, option}, {3, 17, 0, 17, option}, {5, 21, 2, 30, option}, {40, 8, 8, 24, option},            \
        {65, 3, 0, 7, option}, {129, 96, 0, 96, option}, {515, 40, 16, 80, option},                          \
        {300, 65, 1, 70, option}, {70, 300, 4, 304, option}, {2, 2048, 0, 2048, option},                     \
        {1025, 150, 0, 150, option}, {4097, 3, 0, 3, option}, {9000, 4, 0, 4, option},                       \
    {                                                                                                        \
        0, 5, 0, 5, option                                                                                   \
    }

static struct df_matrix block(const struct df_case *c, const struct df_case_run *run)
{
    return df_case_matrix(c, run, X, c->n[FIRST], c->n[ROWS], c->n[COLS], c->n[LD]);
}

/* --- column_sum --- */

static const int64_t sum_odd[][DF_CASE_SIZES] = {
    BLOCKS(false),
    BLOCKS(true),
    {1025, 300, 0, 301, true},
    {140000, 17, 0, 17}, /* as many chunks as there can be */
};

static int class_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ROWS] = m->batch * df_case_patches(m);
    n[0][COLS] = n[0][LD] = m->classes;
    return 1;
}

static void column_sum_build(struct df_case *c)
{
    df_case_in(c, c->n[NARROW] ? c->act : DF_F32, c->n[ROWS] * c->n[LD], 0.3, 1.0);
    df_case_out(c, DF_F32, c->n[COLS], 1e-6);
}

static int column_sum_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->column_sum(run->backend, block(c, run), run->memory[OUT]);
}

static void column_sum_expect(struct df_case *c)
{
    for (int64_t i = 0; i < c->n[ROWS]; i++)
        for (int64_t j = 0; j < c->n[COLS]; j++)
            c->tensors[OUT].expected[j] += (double)c->tensors[X].values[i * c->n[LD] + c->n[FIRST] + j];
}

DF_CASE_SET(column_sum, sum_odd, class_uses);

/* --- add_bias --- */

static const int64_t bias_odd[][DF_CASE_SIZES] = {
    BLOCKS(0), {5, 8, 0, 8, 1}, /* a bias between other parameters */
};

static void add_bias_build(struct df_case *c)
{
    df_case_in_out(c, DF_F32, c->n[ROWS] * c->n[LD], 0.3, 1.0, 0.0);
    df_case_in(c, DF_F32, c->n[SHIFT] + c->n[COLS], 0.0, 1.0);
}

static int add_bias_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->add_bias(run->backend, block(c, run),
                                       (const float *)run->memory[BIAS] + c->n[SHIFT]);
}

/* One addition, exact in float32. */
static void add_bias_expect(struct df_case *c)
{
    const float *x = c->tensors[X].values, *bias = c->tensors[BIAS].values + c->n[SHIFT];

    for (int64_t i = 0; i < c->n[ROWS]; i++) {
        for (int64_t j = 0; j < c->n[COLS]; j++) {
            const int64_t at = i * c->n[LD] + c->n[FIRST] + j;
            c->tensors[X].expected[at] = (double)(x[at] + bias[j]);
        }
    }
}

DF_CASE_SET(add_bias, bias_odd, class_uses);
