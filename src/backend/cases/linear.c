/* Products with frozen weights. */
#include "build.h"

#include <math.h>

/* y [rows, out] = x [rows, in] W^T + b + residual; dx [rows, in] (+)= dy [rows, out] W. WIDE: which of source
 * and result are float32, others are act. GAP: elements between the end of a row and the start of the next,
 * in the result twice as many. EXACT: weights and a float32 source have values that act holds; otherwise
 * they are rounded on the way. */
enum { OUT, IN, ROWS, USUAL_ROWS, WIDE, GAP, ADD, NO_BIAS, EXACT };
enum { WIDE_SOURCE = 1, WIDE_RESULT = 2 };
enum { ADD_IN_PLACE = 1, ADD_APART }; /* where the residual lies; backward: either adds to dx */
enum { SOURCE, RESULT, RESIDUAL };

#define TYPES(out, in, rows, gap, add, no_bias)                                                              \
    {out, in, rows, 70, 0, gap, add, no_bias}, {out, in, rows, 70, WIDE_SOURCE, gap, add, no_bias},          \
        {out, in, rows, 70, WIDE_RESULT, gap, add, no_bias},                                                 \
    {                                                                                                        \
        out, in, rows, 70, WIDE_SOURCE | WIDE_RESULT, gap, add, no_bias                                      \
    }
#define WAYS(out, in, dense_rows, gap_rows, add, no_bias)                                                    \
    TYPES(out, in, dense_rows, 0, add, no_bias), TYPES(out, in, gap_rows, 3, add, !(no_bias))

/* At the end layers of one shape that differ in bias and usual rows, and one without rows. */
static const int64_t odd[][DF_CASE_SIZES] = {
    WAYS(3, 5, 70, 64, 0, false),
    WAYS(3, 5, 1, 2, ADD_IN_PLACE, true),
    WAYS(3, 5, 17, 70, ADD_APART, false),
    WAYS(53, 37, 17, 70, 0, true),
    WAYS(53, 37, 70, 64, ADD_IN_PLACE, false),
    WAYS(53, 37, 2, 1, ADD_APART, true),
    WAYS(192, 64, 1, 17, 0, false),
    WAYS(192, 64, 64, 2, ADD_IN_PLACE, true),
    WAYS(192, 64, 70, 64, ADD_APART, false),
    WAYS(64, 192, 2, 1, 0, true),
    WAYS(64, 192, 17, 70, ADD_IN_PLACE, false),
    WAYS(64, 192, 64, 17, ADD_APART, true),
    WAYS(100, 384, 64, 17, 0, false),
    WAYS(100, 384, 2, 70, ADD_IN_PLACE, true),
    WAYS(100, 384, 1, 2, ADD_APART, false),
    TYPES(384, 588, 17, 0, 0, true),
    TYPES(384, 588, 2, 3, ADD_IN_PLACE, false),
    {384, 588, 70, 70},
    {48, 33, 20, 20},
    {48, 33, 20, 20, 0, 0, 0, true},
    {48, 33, 20, 2000},
    {48, 33, 1999, 2000, 0, 0, ADD_IN_PLACE},
    {48, 33, 5, 20, 0, 1, ADD_IN_PLACE},
    {9, 8, 0, 4},
};

static void set_use(int64_t n[DF_CASE_SIZES], int64_t out, int64_t in, int64_t rows, int64_t wide,
                    int64_t add)
{
    n[OUT] = out;
    n[IN] = in;
    n[ROWS] = n[USUAL_ROWS] = rows;
    n[WIDE] = wide;
    n[ADD] = add;
    n[EXACT] = true;
}

/* q, k and v; what attention puts out; both layers of the feed-forward network. */
static int forward_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    const int64_t rows = df_case_rows(m);

    set_use(n[0], 3 * m->dim, m->dim, rows, 0, 0);
    set_use(n[1], m->dim, m->dim, rows, WIDE_RESULT, ADD_IN_PLACE);
    set_use(n[2], m->swiglu ? 2 * m->hidden : m->hidden, m->dim, rows, 0, 0);
    set_use(n[3], m->dim, m->hidden, rows, WIDE_RESULT, ADD_IN_PLACE);
    return 4;
}

/* The gradient of the residual stream is float32. */
static int backward_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    const int64_t rows = df_case_rows(m);

    set_use(n[0], 3 * m->dim, m->dim, rows, 0, 0);
    set_use(n[1], m->dim, m->hidden, rows, WIDE_SOURCE, 0);
    return 2;
}

static void build(struct df_case *c, int64_t from, int64_t to, bool in_place)
{
    const int64_t rows = c->n[ROWS], from_ld = from + c->n[GAP], to_ld = to + 2 * c->n[GAP];
    const enum df_dtype rounded = c->n[EXACT] ? c->act : DF_F32;
    const enum df_dtype result = c->n[WIDE] & WIDE_RESULT ? DF_F32 : c->act;
    const double terms = sqrt((double)from); /* tensor cores cut what they add */
    const double tolerance = df_case_tolerance(c, 2e-6 + 2e-7 * terms, 1e-5 + 5e-7 * terms);

    df_case_linear(c, rounded, c->n[OUT], c->n[IN], c->n[USUAL_ROWS]);
    if (!c->n[NO_BIAS])
        df_case_bias(c, result); /* a backend may round it to that */
    df_case_in(c, c->n[WIDE] & WIDE_SOURCE ? rounded : c->act, rows * from_ld, 0.0, 1.0);
    if (c->n[WIDE] & WIDE_SOURCE)
        c->tensors[SOURCE].type = DF_F32;
    df_case_product(c, result, rows, to, to_ld, in_place, tolerance);
    df_case_in(c, result, rows * to_ld, 0.0, 1.0);
}

/* As the backend multiplies it. */
static double act_value(const struct df_case *c, float value)
{
    return (double)(c->act == DF_BF16 ? df_bf16_to_f32(df_f32_to_bf16(value)) : value);
}

/* Adds the product to what is expected. */
static void add_product(struct df_case *c, bool backward)
{
    const int64_t in = c->n[IN], out = c->n[OUT], gap = c->n[GAP];
    const int64_t from_ld = (backward ? out : in) + gap, to_ld = (backward ? in : out) + 2 * gap;
    const float *from = c->tensors[SOURCE].values;
    double *to = c->tensors[RESULT].expected;

    for (int64_t o = 0; o < out; o++) {
        for (int64_t i = 0; i < in; i++) {
            const double weight = act_value(c, c->linear_weight[o * in + i]);
            for (int64_t row = 0; row < c->n[ROWS]; row++)
                to[row * to_ld + (backward ? i : o)] +=
                    act_value(c, from[row * from_ld + (backward ? o : i)]) * weight;
        }
    }
}

/* --- forward --- */

static void linear_forward_build(struct df_case *c)
{
    build(c, c->n[IN], c->n[OUT], c->n[ADD] == ADD_IN_PLACE);
}

static int linear_forward_call(const struct df_case *c, struct df_case_run *run)
{
    const int64_t rows = c->n[ROWS], in = c->n[IN], out = c->n[OUT];
    const struct df_matrix x = df_case_matrix(c, run, SOURCE, 0, rows, in, in + c->n[GAP]);
    const struct df_matrix y = df_case_matrix(c, run, RESULT, 0, rows, out, out + 2 * c->n[GAP]);
    const void *residual = !c->n[ADD] ? NULL : c->n[ADD] == ADD_IN_PLACE ? y.data : run->memory[RESIDUAL];
    return run->backend->ops->linear_forward(run->backend, run->linear, x, y, residual);
}

static void linear_forward_expect(struct df_case *c)
{
    const int64_t out = c->n[OUT], ld = out + 2 * c->n[GAP];
    const float *residual = c->tensors[c->n[ADD] == ADD_APART ? RESIDUAL : RESULT].values;

    for (int64_t row = 0; row < c->n[ROWS]; row++) {
        for (int64_t o = 0; o < out; o++)
            c->tensors[RESULT].expected[row * ld + o] = (c->n[ADD] ? (double)residual[row * ld + o] : 0.0) +
                                                        (c->linear_bias ? (double)c->linear_bias[o] : 0.0);
    }
    add_product(c, false);
}

DF_CASE_SET(linear_forward, odd, forward_uses, .is_product = true, .threads_show = true);

/* --- backward --- */

static void linear_backward_build(struct df_case *c)
{
    build(c, c->n[OUT], c->n[IN], c->n[ADD]);
}

static int linear_backward_call(const struct df_case *c, struct df_case_run *run)
{
    const int64_t rows = c->n[ROWS], in = c->n[IN], out = c->n[OUT];
    const struct df_matrix dy = df_case_matrix(c, run, SOURCE, 0, rows, out, out + c->n[GAP]);
    const struct df_matrix dx = df_case_matrix(c, run, RESULT, 0, rows, in, in + 2 * c->n[GAP]);
    return run->backend->ops->linear_backward(run->backend, run->linear, dy, dx, c->n[ADD]);
}

static void linear_backward_expect(struct df_case *c)
{
    const int64_t in = c->n[IN], ld = in + 2 * c->n[GAP];

    for (int64_t row = 0; row < c->n[ROWS]; row++) {
        for (int64_t i = 0; !c->n[ADD] && i < in; i++)
            c->tensors[RESULT].expected[row * ld + i] = 0.0;
    }
    add_product(c, true);
}

DF_CASE_SET(linear_backward, odd, backward_uses, .is_product = true, .threads_show = true);
