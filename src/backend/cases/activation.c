/* GELU and SwiGLU. */
#include "build.h"

#include <math.h>

static double gelu(double x)
{
    return 0.5 * x * erfc(-x / sqrt(2.0));
}

static double gelu_slope(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0)) + x * exp(-0.5 * x * x) / sqrt(2.0 * 3.14159265358979324);
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double silu(double x)
{
    return x * sigmoid(x);
}

static double silu_slope(double x)
{
    return sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)));
}

/* --- gelu: x, y; x, dy, dx, the last two one where it works in place --- */

enum { COUNT, GELU_IN_PLACE };
enum { X, Y };
enum { GELU_DY = 1, GELU_DX };

/* Every remainder of a vector of the device, several blocks. */
static const int64_t gelu_odd[][DF_CASE_SIZES] = {{0}, {1},  {2},  {3},  {4},    {5},    {6},    {7},
                                                  {8}, {15}, {17}, {65}, {1024}, {2048}, {4096}, {9001}};
static const int64_t gelu_backward_odd[][DF_CASE_SIZES] = {
    {0},  {1},  {2},    {3},    {4},    {5},    {6},       {7},        {8},          {15},
    {17}, {65}, {1024}, {2048}, {4096}, {9001}, {1, true}, {15, true}, {9001, true},
};

static int gelu_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = df_case_rows(m) * m->hidden;
    return 1;
}

static void gelu_forward_build(struct df_case *c)
{
    df_case_in(c, c->act, c->n[COUNT], 0.0, 2.5);
    df_case_out(c, c->act, c->n[COUNT], df_case_tolerance(c, 5e-7, 6e-5)); /* a shorter polynomial */
}

static int gelu_forward_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->gelu_forward(run->backend, run->memory[X], run->memory[Y], c->n[COUNT]);
}

static void gelu_forward_expect(struct df_case *c)
{
    for (int64_t i = 0; i < c->n[COUNT]; i++)
        c->tensors[Y].expected[i] = gelu((double)c->tensors[X].values[i]);
}

DF_CASE_SET(gelu_forward, gelu_odd, gelu_uses);

/* Number of the tensor with the result. */
static int gelu_dx(const struct df_case *c)
{
    return c->n[GELU_IN_PLACE] ? GELU_DY : GELU_DX;
}

static void gelu_backward_build(struct df_case *c)
{
    const double tolerance = df_case_tolerance(c, 1e-6, 3e-4);

    df_case_in(c, c->act, c->n[COUNT], 0.0, 2.5);
    if (c->n[GELU_IN_PLACE]) {
        df_case_in_out(c, c->act, c->n[COUNT], 0.0, 1.0, tolerance);
        return;
    }
    df_case_in(c, c->act, c->n[COUNT], 0.0, 1.0);
    df_case_out(c, c->act, c->n[COUNT], tolerance);
}

static int gelu_backward_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->gelu_backward(run->backend, run->memory[X], run->memory[GELU_DY],
                                            run->memory[gelu_dx(c)], c->n[COUNT]);
}

static void gelu_backward_expect(struct df_case *c)
{
    const float *x = c->tensors[X].values, *dy = c->tensors[GELU_DY].values;
    for (int64_t i = 0; i < c->n[COUNT]; i++)
        c->tensors[gelu_dx(c)].expected[i] = (double)dy[i] * gelu_slope((double)x[i]);
}

static double gelu_objective(const struct df_case *c)
{
    double sum = 0.0;
    for (int64_t i = 0; i < c->n[COUNT]; i++)
        sum += (double)c->tensors[GELU_DY].values[i] * gelu((double)c->tensors[X].values[i]);
    return sum;
}

DF_CASE_SET(gelu_backward, gelu_backward_odd, gelu_uses, .objective = gelu_objective,
            .gradients = {{X, GELU_DX}}, .n_gradients = 1);

/* --- swiglu: x [rows, 2 * hidden], y; x, dy, dx, the first and the last one where it works in place --- */

enum { ROWS, HIDDEN, SWIGLU_IN_PLACE };
enum { SWIGLU_DY = 1, SWIGLU_DX };

/* Whole vectors of the device in float32 alone and in both types, rows longer than a block, more rows than a
 * grid has in its second dimension. */
static const int64_t swiglu_odd[][DF_CASE_SIZES] = {
    {0, 8}, {1, 1}, {3, 17}, {5, 4}, {3, 40}, {2, 65}, {65, 3}, {2, 259}, {33, 264}, {2, 2056}, {65537, 4},
};
static const int64_t swiglu_backward_odd[][DF_CASE_SIZES] = {
    {0, 8},   {1, 1},    {3, 17},   {5, 4},     {3, 40},       {2, 65},       {65, 3},
    {2, 259}, {33, 264}, {2, 2056}, {65537, 4}, {3, 17, true}, {3, 40, true}, {33, 264, true},
};

static int swiglu_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][ROWS] = df_case_rows(m);
    n[0][HIDDEN] = m->hidden;
    return 1;
}

/* Elements of one half, and where the i-th of the first half is; of the second, so many further. */
static int64_t half_count(const struct df_case *c)
{
    return c->n[ROWS] * c->n[HIDDEN];
}

static int64_t first_half(const struct df_case *c, int64_t i)
{
    return i / c->n[HIDDEN] * 2 * c->n[HIDDEN] + i % c->n[HIDDEN];
}

static void swiglu_forward_build(struct df_case *c)
{
    df_case_in(c, c->act, 2 * half_count(c), 0.0, 3.0);
    df_case_out(c, c->act, half_count(c), 5e-7);
}

static int swiglu_forward_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->swiglu_forward(run->backend, run->memory[X], run->memory[Y], c->n[ROWS],
                                             c->n[HIDDEN]);
}

static void swiglu_forward_expect(struct df_case *c)
{
    const float *x = c->tensors[X].values;
    for (int64_t i = 0; i < half_count(c); i++) {
        const int64_t at = first_half(c, i);
        c->tensors[Y].expected[i] = silu((double)x[at]) * (double)x[at + c->n[HIDDEN]];
    }
}

DF_CASE_SET(swiglu_forward, swiglu_odd, swiglu_uses);

static int swiglu_dx(const struct df_case *c)
{
    return c->n[SWIGLU_IN_PLACE] ? X : SWIGLU_DX;
}

static void swiglu_backward_build(struct df_case *c)
{
    if (c->n[SWIGLU_IN_PLACE])
        df_case_in_out(c, c->act, 2 * half_count(c), 0.0, 3.0, 1e-6);
    else
        df_case_in(c, c->act, 2 * half_count(c), 0.0, 3.0);
    df_case_in(c, c->act, half_count(c), 0.0, 1.0);
    if (!c->n[SWIGLU_IN_PLACE])
        df_case_out(c, c->act, 2 * half_count(c), 1e-6);
}

static int swiglu_backward_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->swiglu_backward(run->backend, run->memory[X], run->memory[SWIGLU_DY],
                                              run->memory[swiglu_dx(c)], c->n[ROWS], c->n[HIDDEN]);
}

static void swiglu_backward_expect(struct df_case *c)
{
    const float *x = c->tensors[X].values, *dy = c->tensors[SWIGLU_DY].values;
    double *dx = c->tensors[swiglu_dx(c)].expected;

    for (int64_t i = 0; i < half_count(c); i++) {
        const int64_t at = first_half(c, i), other = at + c->n[HIDDEN];
        dx[at] = (double)dy[i] * silu_slope((double)x[at]) * (double)x[other];
        dx[other] = (double)dy[i] * silu((double)x[at]);
    }
}

static double swiglu_objective(const struct df_case *c)
{
    const float *x = c->tensors[X].values, *dy = c->tensors[SWIGLU_DY].values;
    double sum = 0.0;

    for (int64_t i = 0; i < half_count(c); i++) {
        const int64_t at = first_half(c, i);
        sum += (double)dy[i] * silu((double)x[at]) * (double)x[at + c->n[HIDDEN]];
    }
    return sum;
}

DF_CASE_SET(swiglu_backward, swiglu_backward_odd, swiglu_uses, .objective = swiglu_objective,
            .gradients = {{X, SWIGLU_DX}}, .n_gradients = 1);
