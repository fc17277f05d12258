/* LayerNorm over the channels of chosen tokens. */
#include "build.h"

#include <math.h>

#define EPS 1e-6f

/* x [B, N, D], of which ROWS rows of each image are chosen, from row FIRST on; gamma, beta [D];
 * y, dy [B * ROWS, D]; mean, rstd [B * ROWS]. */
enum { BATCH, TOKENS, FIRST, ROWS, DIM, OFFSET, WIDE, ALONE };
enum { X, GAMMA, BETA, Y, MEAN, RSTD };
enum { DY = BETA, BACKWARD_MEAN, BACKWARD_RSTD, DX };

/* OFFSET: the mean of x. WIDE: y is float32 whatever act is. ALONE: without mean and rstd. The widths are
 * those of a warp's rows and a block's, with each number of vectors, full and not; and such that cannot be
 * read in vectors. */
static const int64_t odd[][DF_CASE_SIZES] = {
    {1, 1, 0, 1, 1},
    {1, 1, 0, 1, 3},
    {1, 1, 0, 1, 17},
    {1, 1, 0, 1, 65},
    {1, 1, 0, 1, 130},
    {2, 5, 2, 3, 1},
    {2, 5, 2, 3, 3},
    {2, 5, 2, 3, 17, 1},
    {2, 5, 2, 3, 65, 0, true},
    {2, 5, 2, 3, 130},
    {3, 3, 0, 1, 3, -1},
    {3, 3, 0, 1, 17, 0, true},
    {3, 3, 0, 1, 65, -1, false, true},
    {3, 3, 0, 1, 130, -1, true, true},
    {1, 3, 1, 2, 384, 100},
    {2, 4, 1, 3, 4},
    {2, 4, 1, 3, 132, 0, true},
    {1, 6, 0, 5, 132},
    {2, 4, 1, 3, 256},
    {2, 4, 1, 3, 384, 0, false, true},
    {2, 4, 1, 3, 388},
    {1, 6, 0, 5, 388, 0, true},
    {2, 4, 1, 3, 387},
    {2, 4, 1, 3, 768},
    {1, 3, 1, 2, 772},
    {1, 3, 1, 2, 1024, 0, true},
    {2, 3, 1, 2, 1028, 0, false, true},
    {1, 3, 1, 2, 1536},
    {1, 3, 1, 2, 2052, 0, true},
    {1, 3, 1, 2, 4096},
    {1, 3, 1, 2, 4100, 0, true},
    {1, 3, 1, 2, 8192},
    {2, 3, 1, 2, 8196},
    {0, 4, 1, 3, 8},
    {2, 4, 1, 0, 8},
};

static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][TOKENS] = n[0][ROWS] = df_case_tokens(m);
    n[0][DIM] = m->dim;
    return 1;
}

static int64_t chosen_rows(const struct df_case *c)
{
    return c->n[BATCH] * c->n[ROWS];
}

/* Where the i-th of them begins in x. */
static int64_t row_at(const struct df_case *c, int64_t i)
{
    return (i / c->n[ROWS] * c->n[TOKENS] + c->n[FIRST] + i % c->n[ROWS]) * c->n[DIM];
}

static struct df_token_rows token_rows(const struct df_case *c)
{
    return (struct df_token_rows){c->n[BATCH], c->n[TOKENS], c->n[FIRST], c->n[ROWS]};
}

/* x and gamma; the type of y or dy. */
static enum df_dtype build_x(struct df_case *c)
{
    df_case_in(c, DF_F32, c->n[BATCH] * c->n[TOKENS] * c->n[DIM], (double)c->n[OFFSET], 1.5);
    df_case_in(c, DF_F32, c->n[DIM], 1.0, 0.3);
    return c->n[WIDE] ? DF_F32 : c->act;
}

/* A mean of 100 leaves x with that many fewer digits. */
static bool is_far(const struct df_case *c)
{
    return c->n[OFFSET] > 10;
}

static void statistics(const struct df_case *c, int64_t row, double *mean, double *rstd)
{
    const float *x = c->tensors[X].values + row_at(c, row);
    const int64_t dim = c->n[DIM];
    double sum = 0.0, squares = 0.0;

    for (int64_t i = 0; i < dim; i++)
        sum += (double)x[i];
    *mean = sum / (double)dim;
    for (int64_t i = 0; i < dim; i++)
        squares += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *rstd = 1.0 / sqrt(squares / (double)dim + (double)EPS);
}

/* --- forward --- */

static void layernorm_forward_build(struct df_case *c)
{
    const enum df_dtype type = build_x(c);
    const int64_t statistics_count = c->n[ALONE] ? 0 : chosen_rows(c);
    const double tolerance = is_far(c) ? 1e-4 : c->n[DIM] > 1024 ? 4e-6 : 2e-6; /* of sums one by one */

    df_case_in(c, DF_F32, c->n[DIM], 0.0, 0.3);
    df_case_out(c, type, chosen_rows(c) * c->n[DIM], tolerance);
    df_case_out(c, DF_F32, statistics_count, 1e-6);
    df_case_out(c, DF_F32, statistics_count, is_far(c) ? 1e-4 : 1e-5);
}

static int layernorm_forward_call(const struct df_case *c, struct df_case_run *run)
{
    void *const *memory = run->memory;
    return run->backend->ops->layernorm_forward(
        run->backend, memory[X], token_rows(c), c->n[DIM], memory[GAMMA], memory[BETA], EPS, memory[Y],
        df_case_type(&c->tensors[Y], run->backend), c->n[ALONE] ? NULL : memory[MEAN],
        c->n[ALONE] ? NULL : memory[RSTD]);
}

static void layernorm_forward_expect(struct df_case *c)
{
    const float *gamma = c->tensors[GAMMA].values, *beta = c->tensors[BETA].values;

    for (int64_t row = 0; row < chosen_rows(c); row++) {
        const float *x = c->tensors[X].values + row_at(c, row);
        double *y = c->tensors[Y].expected + row * c->n[DIM], mean, rstd;
        statistics(c, row, &mean, &rstd);
        for (int64_t i = 0; i < c->n[DIM]; i++)
            y[i] = ((double)x[i] - mean) * rstd * (double)gamma[i] + (double)beta[i];
        if (!c->n[ALONE]) {
            c->tensors[MEAN].expected[row] = mean;
            c->tensors[RSTD].expected[row] = rstd;
        }
    }
}

DF_CASE_SET(layernorm_forward, odd, uses);

/* --- backward: mean and rstd are those of x --- */

static void layernorm_backward_build(struct df_case *c)
{
    const enum df_dtype type = build_x(c);

    df_case_in(c, type, chosen_rows(c) * c->n[DIM], 0.0, 1.0);
    df_case_in(c, DF_F32, chosen_rows(c), 0.0, 0.0);
    df_case_in(c, DF_F32, chosen_rows(c), 0.0, 0.0);
    df_case_in_out(c, DF_F32, c->tensors[X].count, 0.0, 1.0, 1e-5);
    for (int64_t row = 0; c->failed == 0 && row < chosen_rows(c); row++) {
        double mean, rstd;
        statistics(c, row, &mean, &rstd);
        c->tensors[BACKWARD_MEAN].values[row] = (float)mean;
        c->tensors[BACKWARD_RSTD].values[row] = (float)rstd;
    }
}

static int layernorm_backward_call(const struct df_case *c, struct df_case_run *run)
{
    void *const *memory = run->memory;
    return run->backend->ops->layernorm_backward(
        run->backend, memory[DY], df_case_type(&c->tensors[DY], run->backend), memory[X], token_rows(c),
        c->n[DIM], memory[GAMMA], memory[BACKWARD_MEAN], memory[BACKWARD_RSTD], memory[DX]);
}

static void layernorm_backward_expect(struct df_case *c)
{
    const float *gamma = c->tensors[GAMMA].values;
    const int64_t dim = c->n[DIM];

    for (int64_t row = 0; row < chosen_rows(c); row++) {
        const float *x = c->tensors[X].values + row_at(c, row), *dy = c->tensors[DY].values + row * dim;
        const double mean = (double)c->tensors[BACKWARD_MEAN].values[row];
        const double rstd = (double)c->tensors[BACKWARD_RSTD].values[row];
        double *dx = c->tensors[DX].expected + row_at(c, row), sum = 0.0, product = 0.0;
        for (int64_t i = 0; i < dim; i++) {
            const double g = (double)dy[i] * (double)gamma[i];
            sum += g;
            product += g * ((double)x[i] - mean) * rstd;
        }
        for (int64_t i = 0; i < dim; i++)
            dx[i] += rstd * ((double)dy[i] * (double)gamma[i] - sum / (double)dim -
                             ((double)x[i] - mean) * rstd * product / (double)dim);
    }
}

static double layernorm_objective(const struct df_case *c)
{
    double total = 0.0;

    for (int64_t row = 0; row < chosen_rows(c); row++) {
        const float *x = c->tensors[X].values + row_at(c, row);
        const float *dy = c->tensors[DY].values + row * c->n[DIM];
        double mean, rstd;
        statistics(c, row, &mean, &rstd);
        for (int64_t i = 0; i < c->n[DIM]; i++)
            total += (double)dy[i] * ((double)x[i] - mean) * rstd * (double)c->tensors[GAMMA].values[i];
    }
    return total;
}

DF_CASE_SET(layernorm_backward, odd, uses, .objective = layernorm_objective, .gradients = {{X, DX}},
            .n_gradients = 1);
