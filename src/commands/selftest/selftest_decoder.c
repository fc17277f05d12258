/* The selftest's cases of the decoders, the loss, the optimiser and plain memory.
 * Tensors are numbered in the order in which they are added. */
#include "selftest_case.h"

#include <inttypes.h>
#include <math.h>

#define I64 "%" PRId64

#define FPN_CHANNELS 128

static struct df_matrix floats(void *data, int64_t rows, int64_t cols)
{
    return (struct df_matrix){data, DF_F32, rows, cols, cols};
}

/* --- the 1x1 decoder --- */

static int call_classify(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    return side->backend->ops->matmul(side->backend, floats(side->memory[0], m.pixels, m.in), false,
                                      floats(side->memory[1], m.classes, m.in), true,
                                      floats(side->memory[2], m.pixels, m.classes), false);
}

static void classify(struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);

    test->operation = "matmul";
    selftest_input(test, false, m.pixels * m.in, 0.0, 1.0);
    selftest_input(test, false, m.classes * m.in, 0.0, 1.0 / sqrt((double)m.in));
    selftest_output(test, false, m.pixels * m.classes);
    selftest_shape(test, "[" I64 ", " I64 "] [" I64 ", " I64 "]^T", m.pixels, m.in, m.classes, m.in);
    test->flops = 2.0 * (double)m.pixels * (double)m.in * (double)m.classes;
    test->call = call_classify;
}

static int call_add_bias(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    return side->backend->ops->add_bias(side->backend, floats(side->memory[0], m.pixels, m.classes),
                                        side->memory[1]);
}

static void add_bias(struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);

    test->operation = "add_bias";
    selftest_in_out(test, false, m.pixels * m.classes, 0.0, 1.0);
    selftest_input(test, false, m.classes, 0.0, 1.0);
    selftest_shape(test, "[" I64 ", " I64 "]", m.pixels, m.classes);
    test->call = call_add_bias;
}

static int call_column_sum(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    return side->backend->ops->column_sum(side->backend, floats(side->memory[0], m.pixels, m.classes),
                                          side->memory[1]);
}

static void column_sum(struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);

    test->operation = "column_sum";
    selftest_input(test, false, m.pixels * m.classes, 0.5, 1.0);
    selftest_output(test, false, m.classes);
    selftest_shape(test, "[" I64 ", " I64 "]", m.pixels, m.classes);
    test->call = call_column_sum;
}

/* --- the pyramid --- */

static struct df_conv_shape conv_shape(const struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);
    return (struct df_conv_shape){m.batch, m.height, m.width, FPN_CHANNELS, FPN_CHANNELS, 3};
}

/* A grid of fewer than three patches has no convolution of three: the case is left out then. */
static bool name_conv(struct selftest_case *test, const char *operation)
{
    const struct df_conv_shape s = conv_shape(test);
    const int64_t pixels = s.batch * (s.height - 2) * (s.width - 2);

    test->operation = operation;
    test->flops = 2.0 * (double)pixels * (double)(s.in * s.out * 9);
    selftest_shape(test, "[" I64 ", " I64 ", " I64 ", " I64 "], 3 x 3 to " I64, s.batch, s.height, s.width,
                   s.in, s.out);
    return s.height > 2 && s.width > 2;
}

static int64_t conv_x(struct df_conv_shape s)
{
    return s.batch * s.height * s.width * s.in;
}

static int64_t conv_y(struct df_conv_shape s)
{
    return s.batch * (s.height - 2) * (s.width - 2) * s.out;
}

static int call_conv(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->conv_forward(side->backend, conv_shape(test), side->memory[0], side->memory[1],
                                            side->memory[2], side->memory[3]);
}

static void conv(struct selftest_case *test)
{
    const struct df_conv_shape s = conv_shape(test);

    if (!name_conv(test, "conv_forward"))
        return;
    selftest_input(test, false, conv_x(s), 0.0, 1.0);
    selftest_input(test, false, s.out * s.in * 9, 0.0, 0.03);
    selftest_input(test, false, s.out, 0.0, 1.0);
    selftest_output(test, false, conv_y(s));
    test->call = call_conv;
}

static int call_conv_backward_data(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->conv_backward_data(side->backend, conv_shape(test), side->memory[0],
                                                  side->memory[1], side->memory[2]);
}

static void conv_backward_data(struct selftest_case *test)
{
    const struct df_conv_shape s = conv_shape(test);

    if (!name_conv(test, "conv_backward_data"))
        return;
    selftest_input(test, false, conv_y(s), 0.0, 1.0);
    selftest_input(test, false, s.out * s.in * 9, 0.0, 0.03);
    selftest_output(test, false, conv_x(s));
    test->call = call_conv_backward_data;
}

static int call_conv_backward_weight(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->conv_backward_weight(side->backend, conv_shape(test), side->memory[0],
                                                    side->memory[1], side->memory[2]);
}

static void conv_backward_weight(struct selftest_case *test)
{
    const struct df_conv_shape s = conv_shape(test);

    if (!name_conv(test, "conv_backward_weight"))
        return;
    selftest_input(test, false, conv_x(s), 0.0, 1.0);
    selftest_input(test, false, conv_y(s), 0.0, 1.0);
    selftest_output(test, false, s.out * s.in * 9);
    test->call = call_conv_backward_weight;
}

static struct df_batchnorm batchnorm_of(const struct selftest_case *test, struct selftest_side *side)
{
    return (struct df_batchnorm){
        .rows = selftest_map_of(test).pixels,
        .channels = FPN_CHANNELS,
        .eps = 1e-5f,
        .momentum = 0.1f,
        .gamma = side->memory[0],
        .beta = side->memory[1],
        .running_mean = side->memory[2],
        .running_var = side->memory[3],
        .save_mean = side->memory[4],
        .save_rstd = side->memory[5],
    };
}

static void add_batchnorm(struct selftest_case *test)
{
    selftest_input(test, false, FPN_CHANNELS, 1.0, 0.2);
    selftest_input(test, false, FPN_CHANNELS, 0.0, 0.2);
    selftest_in_out(test, false, FPN_CHANNELS, 0.0, 0.1);
    selftest_in_out(test, false, FPN_CHANNELS, 4.0, 0.1);
    selftest_output(test, false, FPN_CHANNELS);
    selftest_output(test, false, FPN_CHANNELS);
}

static int call_batchnorm(const struct selftest_case *test, struct selftest_side *side)
{
    const struct df_batchnorm norm = batchnorm_of(test, side);
    return side->backend->ops->batchnorm_relu_forward(side->backend, &norm, true, side->memory[6],
                                                      side->memory[7]);
}

static void batchnorm(struct selftest_case *test)
{
    const int64_t count = selftest_map_of(test).pixels * FPN_CHANNELS;

    test->operation = "batchnorm_relu_forward";
    add_batchnorm(test);
    selftest_input(test, false, count, 0.5, 2.0);
    selftest_output(test, false, count);
    selftest_shape(test, "[" I64 ", %d]", selftest_map_of(test).pixels, FPN_CHANNELS);
    test->call = call_batchnorm;
}

static int call_batchnorm_backward(const struct selftest_case *test, struct selftest_side *side)
{
    const struct df_batchnorm norm = batchnorm_of(test, side);
    return side->backend->ops->batchnorm_relu_backward(side->backend, &norm, side->memory[6], side->memory[7],
                                                       side->memory[8], side->memory[9], side->memory[10],
                                                       side->memory[11]);
}

static void batchnorm_backward(struct selftest_case *test)
{
    const int64_t count = selftest_map_of(test).pixels * FPN_CHANNELS;

    test->operation = "batchnorm_relu_backward";
    add_batchnorm(test);
    selftest_input(test, false, count, 0.5, 2.0);
    selftest_output(test, false, count);
    selftest_input(test, false, count, 0.0, 1.0);
    selftest_output(test, false, count);
    selftest_output(test, false, FPN_CHANNELS);
    selftest_output(test, false, FPN_CHANNELS);
    selftest_shape(test, "[" I64 ", %d]", selftest_map_of(test).pixels, FPN_CHANNELS);
    test->prepare = call_batchnorm; /* the output and the statistics */
    test->call = call_batchnorm_backward;
}

static int call_nearest(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    return side->backend->ops->nearest_forward(side->backend, side->memory[0], m.batch, m.height, m.width,
                                               side->memory[1], 2 * m.height + 1, 2 * m.width + 1,
                                               FPN_CHANNELS, true);
}

static int64_t nearest_large(const struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);
    return m.batch * (2 * m.height + 1) * (2 * m.width + 1) * FPN_CHANNELS;
}

static void name_nearest(struct selftest_case *test, const char *operation)
{
    const struct selftest_map m = selftest_map_of(test);

    test->operation = operation;
    selftest_shape(test, "[" I64 ", " I64 ", " I64 ", %d], [" I64 ", " I64 "]", m.batch, m.height, m.width,
                   FPN_CHANNELS, 2 * m.height + 1, 2 * m.width + 1);
}

static void nearest(struct selftest_case *test)
{
    name_nearest(test, "nearest_forward");
    selftest_input(test, false, selftest_map_of(test).pixels * FPN_CHANNELS, 0.0, 1.0);
    selftest_in_out(test, false, nearest_large(test), 0.0, 1.0);
    test->call = call_nearest;
}

static int call_nearest_backward(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    return side->backend->ops->nearest_backward(side->backend, side->memory[0], m.batch, 2 * m.height + 1,
                                                2 * m.width + 1, side->memory[1], m.height, m.width,
                                                FPN_CHANNELS);
}

static void nearest_backward(struct selftest_case *test)
{
    name_nearest(test, "nearest_backward");
    selftest_input(test, false, nearest_large(test), 0.0, 1.0);
    selftest_output(test, false, selftest_map_of(test).pixels * FPN_CHANNELS);
    test->call = call_nearest_backward;
}

/* --- the loss --- */

static int call_loss(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    struct df_upsample_loss work = {
        .batch = m.batch,
        .h = m.height,
        .w = m.width,
        .classes = m.classes,
        .height = test->setting->height,
        .width = test->setting->width,
        .logits = side->memory[0],
        .labels = side->memory[1],
        .dlogits = side->memory[2],
        .prediction = side->memory[3],
    };

    if (side->backend->ops->upsample_loss(side->backend, &work, side->memory[4]) != 0)
        return -1;
    side->scalars[0] = work.loss.sum;
    side->scalars[1] = (double)work.loss.count;
    return 0;
}

static void name_upsampling(struct selftest_case *test, const char *operation)
{
    const struct selftest_map m = selftest_map_of(test);

    test->operation = operation;
    selftest_shape(test, "[" I64 ", " I64 ", " I64 ", " I64 "], [" I64 ", " I64 "]", m.batch, m.height,
                   m.width, m.classes, test->setting->height, test->setting->width);
}

static void loss(struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);
    const int64_t count = m.batch * test->setting->height * test->setting->width;

    name_upsampling(test, "upsample_loss");
    selftest_input(test, false, m.pixels * m.classes, 0.0, 2.0);
    selftest_bytes(test, count, (int)m.classes, true);
    selftest_output(test, false, m.pixels * m.classes);
    selftest_output_bytes(test, count);
    selftest_input(test, false, 2 * m.pixels * m.classes, 0.0,
                   1.0); /* scratch: what is in it does not matter */
    test->n_scalars = 2;
    test->call = call_loss;
}

static int call_logits(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    return side->backend->ops->upsample_logits(side->backend, side->memory[0], side->memory[1], m.batch,
                                               m.height, m.width, m.classes, test->setting->height,
                                               test->setting->width);
}

static void logits(struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);

    name_upsampling(test, "upsample_logits");
    selftest_input(test, false, m.pixels * m.classes, 0.0, 2.0);
    selftest_output(test, false, m.batch * m.classes * test->setting->height * test->setting->width);
    test->call = call_logits;
}

/* --- the optimiser --- */

static int call_adamw(const struct selftest_case *test, struct selftest_side *side)
{
    const struct df_adamw settings = {3e-4, 0.9, 0.999, 1e-8, 0.01, 7};
    return side->backend->ops->adamw(side->backend, &settings, side->memory[0], side->memory[1],
                                     side->memory[2], side->memory[3], test->tensors[0].count);
}

/* As many as LoRA and a 1x1 decoder have. */
static void adamw(struct selftest_case *test)
{
    const struct selftest_setting *s = test->setting;
    const int64_t count = (4 * s->rank * s->vit.depth + s->classes) * s->vit.dim + s->classes;

    test->operation = "adamw";
    selftest_in_out(test, false, count, 0.0, 1.0);
    selftest_input(test, false, count, 0.0, 0.1);
    selftest_in_out(test, false, count, 0.0, 0.1);
    selftest_in_out(test, false, count, 1.0, 0.1);
    selftest_shape(test, "[" I64 "]", count);
    test->call = call_adamw;
}

/* --- memory --- */

static int call_copy(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->copy(side->backend, side->memory[1], side->memory[0],
                                    (size_t)test->tensors[0].count * sizeof(float));
}

static void copy(struct selftest_case *test)
{
    const int64_t count = selftest_map_of(test).pixels * selftest_map_of(test).in;

    test->operation = "copy";
    selftest_input(test, false, count, 0.0, 1.0);
    selftest_output(test, false, count);
    selftest_shape(test, "[" I64 "]", count);
    test->call = call_copy;
}

static int call_zero(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->zero(side->backend, side->memory[0],
                                    (size_t)test->tensors[0].count * sizeof(float));
}

static void zero(struct selftest_case *test)
{
    const int64_t count = selftest_map_of(test).pixels * selftest_map_of(test).in;

    test->operation = "zero";
    selftest_output(test, false, count);
    selftest_shape(test, "[" I64 "]", count);
    test->call = call_zero;
}

/* What the host sends; the way back is that of every comparison. */
static int call_upload(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->upload(side->backend, side->memory[1], test->tensors[0].values,
                                      (size_t)test->tensors[0].count * sizeof(float));
}

static void upload(struct selftest_case *test)
{
    const int64_t count = selftest_map_of(test).pixels * selftest_map_of(test).in;

    test->operation = "upload";
    selftest_input(test, false, count, 0.0, 1.0);
    selftest_output(test, false, count);
    selftest_shape(test, "[" I64 "]", count);
    test->call = call_upload;
}

selftest_builder *const selftest_decoder[] = {
    classify,
    add_bias,
    column_sum,
    conv,
    conv_backward_data,
    conv_backward_weight,
    batchnorm,
    batchnorm_backward,
    nearest,
    nearest_backward,
    loss,
    logits,
    adamw,
    copy,
    zero,
    upload,
    NULL,
};
