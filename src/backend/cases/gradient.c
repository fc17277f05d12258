/* The gradients of a step's parts added up, and their norm. */
#include "build.h"

#include "dinoft/error.h"

#include <math.h>
#include <string.h>

/* Of so many pixels. */
static double weight_of(int64_t count)
{
    return 0.75 * (double)count;
}

/* A step's loss, which the cases read as bytes. */
static void set_loss(struct df_case *c, int tensor, double sum, int64_t count)
{
    const struct df_loss_sum loss = {sum, count, weight_of(count)};

    if (c->tensors[tensor].bytes)
        memcpy(c->tensors[tensor].bytes, &loss, sizeof loss);
}

/* --- add_gradient --- */

enum { ADD_COUNT, PIXELS, BEFORE };
enum { ADDED, LOSS, SUM, ADD_TOTAL };

static const int64_t add_gradient_odd[][DF_CASE_SIZES] = {
    {0, 5, 7},     {1, 1, 0},    {2, 3, 1}, {3, 100, 4}, {4, 0, 9}, {1023, 240100, 240099},
    {4099, 17, 0}, {1025, 0, 0},
};

/* What the loss sums are before and what comes to them. */
static const double loss_before = 2.5, loss_added = 0.75;

static int add_gradient_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ADD_COUNT] = df_case_trained(m);
    n[0][PIXELS] = m->batch * m->height * m->width;
    return 1;
}

static void add_gradient_build(struct df_case *c)
{
    df_case_in(c, DF_F32, c->n[ADD_COUNT], 0.0, 1.0);
    df_case_in_bytes(c, sizeof(struct df_loss_sum), 256, false);
    df_case_in_out(c, DF_F32, c->n[ADD_COUNT], 0.0, 10.0, c->n[PIXELS] > 0 ? 2e-7 : 0.0);
    df_case_in_bytes(c, sizeof(struct df_loss_sum), 256, false);
    set_loss(c, LOSS, loss_added, c->n[PIXELS]);
    set_loss(c, ADD_TOTAL, loss_before, c->n[BEFORE]);
    c->n_scalars = 2;
}

static int add_gradient_call(const struct df_case *c, struct df_case_run *run)
{
    struct df_loss_sum total = {0};

    DF_TRY(run->backend->ops->add_gradient(run->backend, run->memory[ADDED], c->n[ADD_COUNT],
                                           run->memory[LOSS], run->memory[SUM], run->memory[ADD_TOTAL]));
    DF_TRY(run->backend->ops->download(run->backend, &total, run->memory[ADD_TOTAL], sizeof total));
    run->scalars[0] = total.sum;
    run->scalars[1] = (double)total.count + total.weight;
    return 0;
}

static void add_gradient_expect(struct df_case *c)
{
    const bool counts = c->n[PIXELS] > 0;

    for (int64_t i = 0; i < c->n[ADD_COUNT]; i++)
        c->tensors[SUM].expected[i] += weight_of(c->n[PIXELS]) * (double)c->tensors[ADDED].values[i];
    c->expected_scalars[0] = counts ? loss_before + loss_added : loss_before;
    c->expected_scalars[1] =
        (double)(c->n[BEFORE] + c->n[PIXELS]) + weight_of(c->n[BEFORE]) + weight_of(c->n[PIXELS]);
}

DF_CASE_SET(add_gradient, add_gradient_odd, add_gradient_uses);

/* --- gradient_scale --- */

enum { COUNT, OF_A_SUM, LABELLED, LONGEST };
enum { GRADIENT, TOTAL, SCALE };

/* LONGEST is in hundredths. Norms are near sqrt(COUNT), or that over LABELLED. */
static const int64_t gradient_scale_odd[][DF_CASE_SIZES] = {
    {0, false, 0, 100},     {1, false, 0, 0},      {2, false, 0, 10},    {3, true, 2, 1},
    {5, true, 0, 100},      {1023, false, 0, 50},  {1025, true, 7, 100}, {4099, true, 3, 100000},
    {4097, false, 0, 9900}, {600000, false, 0, 1}, {70001, true, 11, 0},
};

static int gradient_scale_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = df_case_trained(m);
    n[0][LONGEST] = 100;
    return 1;
}

static void gradient_scale_build(struct df_case *c)
{
    df_case_in(c, DF_F32, c->n[COUNT], 0.0, 1.0);
    df_case_in_bytes(c, sizeof(struct df_loss_sum), 256, false);
    df_case_out(c, DF_F32, sizeof(struct df_gradient_scale) / sizeof(float), 1e-6);
    set_loss(c, TOTAL, 1.0, c->n[LABELLED]);
    c->n_scalars = 2;
    c->scalar_tolerance = 1e-6;
}

/* The scalars have the same as the tensor, but for its size: the norm, and that of the clipped gradient. */
static int gradient_scale_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_backend_ops *ops = run->backend->ops;
    struct df_gradient_scale scale = {0};

    DF_TRY(ops->gradient_scale(run->backend, run->memory[GRADIENT], c->n[COUNT],
                               c->n[OF_A_SUM] ? run->memory[TOTAL] : NULL, (double)c->n[LONGEST] / 100.0,
                               run->memory[SCALE]));
    DF_TRY(ops->download(run->backend, &scale, run->memory[SCALE], sizeof scale));
    run->scalars[0] = (double)scale.norm;
    run->scalars[1] = (double)scale.norm * (double)scale.factor;
    return 0;
}

static void gradient_scale_expect(struct df_case *c)
{
    const double longest = (double)c->n[LONGEST] / 100.0;
    double mean = 1.0, squares = 0.0, *scale = c->tensors[SCALE].expected;

    if (c->n[OF_A_SUM])
        mean = c->n[LABELLED] > 0 ? 1.0 / weight_of(c->n[LABELLED]) : 0.0;
    for (int64_t i = 0; i < c->n[COUNT]; i++)
        squares += (double)c->tensors[GRADIENT].values[i] * (double)c->tensors[GRADIENT].values[i];
    scale[0] = sqrt(squares) * mean;
    scale[1] = longest > 0.0 ? mean * fmin(1.0, longest / (scale[0] + 1e-6)) : mean;
    c->expected_scalars[0] = scale[0];
    c->expected_scalars[1] = scale[0] * scale[1];
}

DF_CASE_SET(gradient_scale, gradient_scale_odd, gradient_scale_uses);
