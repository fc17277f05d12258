/* Convolutions. */
#include "build.h"

#include <math.h>

#define USUAL_CHANNELS 128 /* of a pyramid's maps */

enum { BATCH, HEIGHT, WIDTH, CHANNELS_IN, CHANNELS_OUT, KERNEL, WITHOUT_BIAS, PADDING };

/* Kernels of 1 to 3, channels that are whole vectors and not, both widths of the kernels' tiles with and
 * without a remainder, enough pixels for partial sums. */
#define SIZES(without_bias)                                                                                  \
    {1, 1, 1, 1, 1, 1, without_bias}, {1, 3, 3, 1, 1, 3, without_bias}, {2, 5, 7, 3, 4, 3, without_bias},    \
        {2, 4, 3, 5, 7, 1, without_bias}, {1, 9, 6, 33, 21, 3, without_bias},                                \
        {2, 7, 8, 64, 32, 3, without_bias}, {2, 11, 10, 48, 21, 1, without_bias},                            \
        {1, 6, 5, 17, 20, 2, without_bias}, {1, 6, 5, 36, 70, 2, without_bias},                              \
        {2, 13, 11, 20, 65, 1, without_bias}, {1, 24, 23, 8, 12, 3, without_bias},                           \
        {3, 16, 15, 130, 5, 1, without_bias}, {1, 1, 1, 3, 2, 3, without_bias, 1},                           \
        {2, 5, 7, 33, 36, 3, without_bias, 1}, {1, 24, 23, 8, 12, 3, without_bias, 1},                       \
        {2, 4, 6, 17, 5, 3, without_bias, 2},

static const int64_t forward_odd[][DF_CASE_SIZES] = {SIZES(false) SIZES(true)};
static const int64_t backward_odd[][DF_CASE_SIZES] = {SIZES(false)};

/* A grid of fewer than three patches has no convolution of three. */
static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][HEIGHT] = m->height / m->patch;
    n[0][WIDTH] = m->width / m->patch;
    n[0][CHANNELS_IN] = n[0][CHANNELS_OUT] = USUAL_CHANNELS;
    n[0][KERNEL] = 3;
    return n[0][HEIGHT] >= 3 && n[0][WIDTH] >= 3 ? 1 : 0;
}

static struct df_conv_shape shape_of(const struct df_case *c)
{
    return (struct df_conv_shape){.batch = c->n[BATCH],
                                  .height = c->n[HEIGHT],
                                  .width = c->n[WIDTH],
                                  .in = c->n[CHANNELS_IN],
                                  .out = c->n[CHANNELS_OUT],
                                  .kernel = c->n[KERNEL],
                                  .padding = c->n[PADDING]};
}

static int64_t out_height(const struct df_case *c)
{
    return c->n[HEIGHT] + 2 * c->n[PADDING] - c->n[KERNEL] + 1;
}

static int64_t out_width(const struct df_case *c)
{
    return c->n[WIDTH] + 2 * c->n[PADDING] - c->n[KERNEL] + 1;
}

/* Weights that an output is a sum of, for each of its channels. */
static int64_t taps(const struct df_case *c)
{
    return c->n[CHANNELS_IN] * c->n[KERNEL] * c->n[KERNEL];
}

static int64_t x_count(const struct df_case *c)
{
    return c->n[BATCH] * c->n[HEIGHT] * c->n[WIDTH] * c->n[CHANNELS_IN];
}

static int64_t y_count(const struct df_case *c)
{
    return c->n[BATCH] * out_height(c) * out_width(c) * c->n[CHANNELS_OUT];
}

static int64_t weight_count(const struct df_case *c)
{
    return c->n[CHANNELS_OUT] * taps(c);
}

static void add_x(struct df_case *c)
{
    df_case_in(c, DF_F32, x_count(c), 0.0, 1.0);
}

static void add_weight(struct df_case *c)
{
    df_case_in(c, DF_F32, weight_count(c), 0.0, 1.0 / sqrt((double)taps(c)));
}

static void add_dy(struct df_case *c, double terms)
{
    df_case_in(c, DF_F32, y_count(c), 0.0, 1.0 / sqrt(terms));
}

/* Indices of an input, of a weight and of the output that their product is a part of. */
struct product {
    int64_t x, weight, y;
    bool inside; /* false: a zero around the map */
};

/* Of the tap-th weight of element y of the output. */
static struct product product_of(const struct df_case *c, int64_t y, int64_t tap)
{
    const int64_t kernel = c->n[KERNEL], in = tap / (kernel * kernel);
    const int64_t pixel = y / c->n[CHANNELS_OUT], line = pixel / out_width(c), image = line / out_height(c);
    const int64_t row = line % out_height(c) + tap / kernel % kernel - c->n[PADDING];
    const int64_t column = pixel % out_width(c) + tap % kernel - c->n[PADDING];
    const bool inside = row >= 0 && row < c->n[HEIGHT] && column >= 0 && column < c->n[WIDTH];
    const int64_t at = ((image * c->n[HEIGHT] + row) * c->n[WIDTH] + column) * c->n[CHANNELS_IN] + in;

    return (struct product){inside ? at : 0, y % c->n[CHANNELS_OUT] * taps(c) + tap, y, inside};
}

/* --- forward: x, weight, y, bias or not --- */

enum { X, WEIGHT, Y, BIAS };

static void conv_forward_build(struct df_case *c)
{
    add_x(c);
    add_weight(c);
    df_case_out(c, DF_F32, y_count(c), 1e-5);
    if (!c->n[WITHOUT_BIAS])
        df_case_in(c, DF_F32, c->n[CHANNELS_OUT], 0.0, 1.0);
}

static int conv_forward_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->conv_forward(run->backend, shape_of(c), run->memory[X], run->memory[WEIGHT],
                                           c->n[WITHOUT_BIAS] ? NULL : run->memory[BIAS], run->memory[Y]);
}

static void conv_forward_expect(struct df_case *c)
{
    const float *x = c->tensors[X].values, *weight = c->tensors[WEIGHT].values;

    for (int64_t y = 0; y < y_count(c); y++) {
        double sum = c->n[WITHOUT_BIAS] ? 0.0 : (double)c->tensors[BIAS].values[y % c->n[CHANNELS_OUT]];
        for (int64_t tap = 0; tap < taps(c); tap++) {
            const struct product p = product_of(c, y, tap);
            sum += p.inside ? (double)x[p.x] * (double)weight[p.weight] : 0.0;
        }
        c->tensors[Y].expected[y] = sum;
    }
}

DF_CASE_SET(conv_forward, forward_odd, uses, .is_product = true, .threads_show = true);

/* --- backward --- */

/* The sum of dy * y. */
static double objective(const struct df_case *c, const float *x, const float *weight, const float *dy)
{
    double sum = 0.0;

    for (int64_t y = 0; y < y_count(c); y++) {
        for (int64_t tap = 0; tap < taps(c); tap++) {
            const struct product p = product_of(c, y, tap);
            sum += p.inside ? (double)x[p.x] * (double)weight[p.weight] * (double)dy[y] : 0.0;
        }
    }
    return sum;
}

/* data: weight, dy, dx; weight: x, dy, dweight. The last one is there for the objective alone. */
enum { OPERAND, DY, GRADIENT, INPUT };

static void conv_backward_data_build(struct df_case *c)
{
    add_weight(c);
    add_dy(c, (double)c->n[CHANNELS_OUT] / (double)c->n[CHANNELS_IN]);
    df_case_out(c, DF_F32, x_count(c), 1e-5);
    add_x(c);
}

static int conv_backward_data_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->conv_backward_data(run->backend, shape_of(c), run->memory[DY],
                                                 run->memory[OPERAND], run->memory[GRADIENT]);
}

static void conv_backward_data_expect(struct df_case *c)
{
    const float *weight = c->tensors[OPERAND].values, *dy = c->tensors[DY].values;

    for (int64_t y = 0; y < y_count(c); y++) {
        for (int64_t tap = 0; tap < taps(c); tap++) {
            const struct product p = product_of(c, y, tap);
            if (p.inside)
                c->tensors[GRADIENT].expected[p.x] += (double)dy[y] * (double)weight[p.weight];
        }
    }
}

static double data_objective(const struct df_case *c)
{
    return objective(c, c->tensors[INPUT].values, c->tensors[OPERAND].values, c->tensors[DY].values);
}

DF_CASE_SET(conv_backward_data, backward_odd, uses, .objective = data_objective,
            .gradients = {{INPUT, GRADIENT}}, .n_gradients = 1, .is_product = true, .threads_show = true);

static void conv_backward_weight_build(struct df_case *c)
{
    add_x(c);
    add_dy(c, (double)(c->n[BATCH] * out_height(c) * out_width(c)));
    df_case_out(c, DF_F32, weight_count(c), 2e-5);
    add_weight(c);
}

static int conv_backward_weight_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->conv_backward_weight(run->backend, shape_of(c), run->memory[OPERAND],
                                                   run->memory[DY], run->memory[GRADIENT]);
}

static void conv_backward_weight_expect(struct df_case *c)
{
    const float *x = c->tensors[OPERAND].values, *dy = c->tensors[DY].values;

    for (int64_t y = 0; y < y_count(c); y++) {
        for (int64_t tap = 0; tap < taps(c); tap++) {
            const struct product p = product_of(c, y, tap);
            if (p.inside)
                c->tensors[GRADIENT].expected[p.weight] += (double)dy[y] * (double)x[p.x];
        }
    }
}

static double weight_objective(const struct df_case *c)
{
    return objective(c, c->tensors[OPERAND].values, c->tensors[INPUT].values, c->tensors[DY].values);
}

DF_CASE_SET(conv_backward_weight, backward_odd, uses, .objective = weight_objective,
            .gradients = {{INPUT, GRADIENT}}, .n_gradients = 1, .is_product = true, .threads_show = true);
