/* The selftest's cases of the vision transformer and its LoRA, at the shapes of a training step. Tensors are
 * numbered in the order in which they are added; the calls name them by these numbers. */
#include "selftest_case.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define I64 "%" PRId64

struct sizes {
    int64_t batch, patches, prefix, tokens, rows, dim, hidden;
};

static struct sizes sizes_of(const struct selftest_case *test)
{
    const struct selftest_setting *s = test->setting;
    struct sizes sizes = {.batch = s->batch, .dim = s->vit.dim, .hidden = s->vit.ffn_hidden};

    sizes.patches = (s->height / s->vit.patch) * (s->width / s->vit.patch);
    sizes.prefix = 1 + s->vit.registers;
    sizes.tokens = sizes.prefix + sizes.patches;
    sizes.rows = sizes.batch * sizes.tokens;
    return sizes;
}

static struct df_matrix matrix(void *data, enum df_dtype type, int64_t rows, int64_t cols, int64_t ld)
{
    return (struct df_matrix){data, type, rows, cols, ld};
}

/* --- linear layers --- */

static int call_linear(const struct selftest_case *test, struct selftest_side *side)
{
    const int64_t rows = test->linear_rows, in = test->linear_in, out = test->linear_out;
    const struct df_matrix x = matrix(side->memory[0], act_of(side), rows, in, in);
    const struct df_matrix y = matrix(side->memory[1], act_of(side), rows, out, out);
    return side->backend->ops->linear_forward(side->backend, side->linear, x, y, NULL);
}

static int call_linear_residual(const struct selftest_case *test, struct selftest_side *side)
{
    const int64_t rows = test->linear_rows, in = test->linear_in, out = test->linear_out;
    const struct df_matrix x = matrix(side->memory[0], act_of(side), rows, in, in);
    const struct df_matrix y = matrix(side->memory[1], DF_F32, rows, out, out);
    return side->backend->ops->linear_forward(side->backend, side->linear, x, y, y.data);
}

static int call_linear_backward(const struct selftest_case *test, struct selftest_side *side)
{
    const int64_t rows = test->linear_rows, in = test->linear_in, out = test->linear_out;
    const struct df_matrix dy = matrix(side->memory[0], act_of(side), rows, out, out);
    const struct df_matrix dx = matrix(side->memory[1], act_of(side), rows, in, in);
    return side->backend->ops->linear_backward(side->backend, side->linear, dy, dx, false);
}

/* The gradient of the residual stream is float32. */
static int call_linear_backward_wide(const struct selftest_case *test, struct selftest_side *side)
{
    const int64_t rows = test->linear_rows, in = test->linear_in, out = test->linear_out;
    const struct df_matrix dy = matrix(side->memory[0], DF_F32, rows, out, out);
    const struct df_matrix dx = matrix(side->memory[1], act_of(side), rows, in, in);
    return side->backend->ops->linear_backward(side->backend, side->linear, dy, dx, false);
}

static void build_linear(struct selftest_case *test, int64_t out, int64_t in, bool residual)
{
    const int64_t rows = sizes_of(test).rows;

    test->operation = "linear_forward";
    selftest_linear(test, out, in, rows);
    selftest_input(test, true, rows * in, 0.0, 1.0);
    if (residual)
        selftest_in_out(test, false, rows * out, 0.0, 1.0);
    else
        selftest_output(test, true, rows * out);
    selftest_shape(test, "[" I64 ", " I64 "] -> %s[" I64 ", " I64 "]", rows, in, residual ? "+= " : "", rows,
                   out);
    test->flops = 2.0 * (double)rows * (double)in * (double)out;
    test->call = residual ? call_linear_residual : call_linear;
}

static void build_linear_backward(struct selftest_case *test, int64_t out, int64_t in, bool wide)
{
    const int64_t rows = sizes_of(test).rows;

    test->operation = "linear_backward";
    selftest_linear(test, out, in, rows);
    selftest_input(test, true, rows * out, 0.0, 1.0); /* in values that act holds, whatever the type */
    test->tensors[0].act = !wide;
    selftest_output(test, true, rows * in);
    selftest_shape(test, "%s[" I64 ", " I64 "] -> [" I64 ", " I64 "]", wide ? "float32 " : "", rows, out,
                   rows, in);
    test->flops = 2.0 * (double)rows * (double)in * (double)out;
    test->call = wide ? call_linear_backward_wide : call_linear_backward;
}

static void qkv(struct selftest_case *test)
{
    build_linear(test, 3 * sizes_of(test).dim, sizes_of(test).dim, false);
}

static void attention_out(struct selftest_case *test)
{
    build_linear(test, sizes_of(test).dim, sizes_of(test).dim, true);
}

static void feed_forward_in(struct selftest_case *test)
{
    const int64_t halves = test->setting->vit.ffn == DF_FFN_SWIGLU ? 2 : 1;
    build_linear(test, halves * sizes_of(test).hidden, sizes_of(test).dim, false);
}

static void feed_forward_out(struct selftest_case *test)
{
    build_linear(test, sizes_of(test).dim, sizes_of(test).hidden, true);
}

static void qkv_backward(struct selftest_case *test)
{
    build_linear_backward(test, 3 * sizes_of(test).dim, sizes_of(test).dim, false);
}

static void feed_forward_out_backward(struct selftest_case *test)
{
    build_linear_backward(test, sizes_of(test).dim, sizes_of(test).hidden, true);
}

/* --- LoRA: products with a thin side, on columns of wider matrices --- */

static int call_lora_down(const struct selftest_case *test, struct selftest_side *side)
{
    const struct sizes s = sizes_of(test);
    const int64_t rank = 2 * test->setting->rank;
    const struct df_matrix x = matrix(side->memory[0], act_of(side), s.rows, s.dim, s.dim);
    const struct df_matrix a = matrix(side->memory[1], DF_F32, rank, s.dim, s.dim);
    const struct df_matrix h = matrix(side->memory[2], DF_F32, s.rows, rank, rank);
    return side->backend->ops->matmul(side->backend, x, false, a, true, h, false);
}

static void lora_down(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);
    const int64_t rank = 2 * test->setting->rank;

    test->operation = "matmul";
    selftest_input(test, true, s.rows * s.dim, 0.0, 1.0);
    selftest_input(test, false, rank * s.dim, 0.0, 1.0 / sqrt((double)s.dim));
    selftest_output(test, false, s.rows * rank);
    selftest_shape(test, "[" I64 ", " I64 "] [" I64 ", " I64 "]^T", s.rows, s.dim, rank, s.dim);
    test->flops = 2.0 * (double)s.rows * (double)s.dim * (double)rank;
    test->call = call_lora_down;
}

static int call_lora_up(const struct selftest_case *test, struct selftest_side *side)
{
    const struct sizes s = sizes_of(test);
    const int64_t rank = test->setting->rank;
    const struct df_matrix h = matrix(side->memory[0], DF_F32, s.rows, rank, 2 * rank);
    const struct df_matrix b = matrix(side->memory[1], DF_F32, s.dim, rank, rank);
    const struct df_matrix q = matrix(side->memory[2], act_of(side), s.rows, s.dim, 3 * s.dim);
    return side->backend->ops->matmul(side->backend, h, false, b, true, q, true);
}

static void lora_up(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);
    const int64_t rank = test->setting->rank;

    test->operation = "matmul";
    selftest_input(test, false, s.rows * 2 * rank, 0.0, 1.0);
    selftest_input(test, false, s.dim * rank, 0.0, 1.0);
    selftest_in_out(test, true, s.rows * 3 * s.dim, 0.0, 1.0);
    selftest_shape(test, "[" I64 ", " I64 "] [" I64 ", " I64 "]^T -> += columns of [" I64 ", " I64 "]",
                   s.rows, rank, s.dim, rank, s.rows, 3 * s.dim);
    test->flops = 2.0 * (double)s.rows * (double)s.dim * (double)rank;
    test->call = call_lora_up;
}

/* The sum over all tokens. */
static int call_lora_gradient(const struct selftest_case *test, struct selftest_side *side)
{
    const struct sizes s = sizes_of(test);
    const int64_t rank = 2 * test->setting->rank;
    const struct df_matrix dh = matrix(side->memory[0], DF_F32, s.rows, rank, rank);
    const struct df_matrix x = matrix(side->memory[1], act_of(side), s.rows, s.dim, s.dim);
    const struct df_matrix da = matrix(side->memory[2], DF_F32, rank, s.dim, s.dim);
    return side->backend->ops->matmul(side->backend, dh, true, x, false, da, false);
}

static void lora_gradient(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);
    const int64_t rank = 2 * test->setting->rank;

    test->operation = "matmul";
    selftest_input(test, false, s.rows * rank, 0.0, 1.0);
    selftest_input(test, true, s.rows * s.dim, 0.0, 1.0);
    selftest_output(test, false, rank * s.dim);
    selftest_shape(test, "[" I64 ", " I64 "]^T [" I64 ", " I64 "]", s.rows, rank, s.rows, s.dim);
    test->flops = 2.0 * (double)s.rows * (double)s.dim * (double)rank;
    test->call = call_lora_gradient;
}

/* --- pixels to tokens --- */

static int call_image_normalize(const struct selftest_case *test, struct selftest_side *side)
{
    static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};
    const struct selftest_setting *s = test->setting;
    return side->backend->ops->image_normalize(side->backend, side->memory[0], side->memory[1], s->batch,
                                               s->height, s->width, mean, deviation);
}

static void image_normalize(struct selftest_case *test)
{
    const struct selftest_setting *s = test->setting;
    const int64_t count = 3 * s->batch * s->height * s->width;

    test->operation = "image_normalize";
    selftest_bytes(test, count, 256, false);
    selftest_output(test, false, count);
    selftest_shape(test, "[" I64 ", " I64 ", " I64 ", 3]", s->batch, s->height, s->width);
    test->call = call_image_normalize;
}

static int call_patchify(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_setting *s = test->setting;
    return side->backend->ops->patchify(side->backend, side->memory[0], side->memory[1], s->batch, s->height,
                                        s->width, s->vit.patch);
}

static void patchify(struct selftest_case *test)
{
    const struct selftest_setting *s = test->setting;
    const int64_t count = 3 * s->batch * s->height * s->width;

    test->operation = "patchify";
    selftest_input(test, false, count, 0.0, 1.0);
    selftest_output(test, true, count);
    selftest_shape(test, "[" I64 ", 3, " I64 ", " I64 "]", s->batch, s->height, s->width);
    test->call = call_patchify;
}

static int call_assemble_tokens(const struct selftest_case *test, struct selftest_side *side)
{
    const struct sizes s = sizes_of(test);
    const struct df_token_rows rows = {s.batch, s.tokens, s.prefix, s.patches};
    return side->backend->ops->assemble_tokens(side->backend, side->memory[0], side->memory[1],
                                               side->memory[2], side->memory[3], rows, s.dim);
}

static void assemble_tokens(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    test->operation = "assemble_tokens";
    selftest_input(test, false, s.batch * s.patches * s.dim, 0.0, 1.0);
    selftest_input(test, false, s.prefix * s.dim, 0.0, 1.0);
    selftest_input(test, false, s.patches * s.dim, 0.0, 1.0);
    selftest_output(test, false, s.rows * s.dim);
    selftest_shape(test, "[" I64 ", " I64 ", " I64 "]", s.batch, s.tokens, s.dim);
    test->call = call_assemble_tokens;
}

/* --- normalisation --- */

static int call_layernorm(const struct selftest_case *test, struct selftest_side *side)
{
    const struct sizes s = sizes_of(test);
    const struct df_token_rows rows = {s.batch, s.tokens, 0, s.tokens};
    return side->backend->ops->layernorm_forward(side->backend, side->memory[0], rows, s.dim, side->memory[1],
                                                 side->memory[2], 1e-6f, side->memory[3], act_of(side),
                                                 side->memory[4], side->memory[5]);
}

static void layernorm(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    test->operation = "layernorm_forward";
    selftest_input(test, false, s.rows * s.dim, 0.5, 2.0);
    selftest_input(test, false, s.dim, 1.0, 0.2);
    selftest_input(test, false, s.dim, 0.0, 0.2);
    selftest_output(test, true, s.rows * s.dim);
    selftest_output(test, false, s.rows);
    selftest_output(test, false, s.rows);
    selftest_shape(test, "[" I64 ", " I64 ", " I64 "]", s.batch, s.tokens, s.dim);
    test->call = call_layernorm;
}

static int call_layernorm_backward(const struct selftest_case *test, struct selftest_side *side)
{
    const struct sizes s = sizes_of(test);
    const struct df_token_rows rows = {s.batch, s.tokens, 0, s.tokens};
    return side->backend->ops->layernorm_backward(side->backend, side->memory[0], act_of(side),
                                                  side->memory[1], rows, s.dim, side->memory[2],
                                                  side->memory[3], side->memory[4], side->memory[5]);
}

/* Mean and rstd need not be x's own to be read by both alike. */
static void layernorm_backward(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    test->operation = "layernorm_backward";
    selftest_input(test, true, s.rows * s.dim, 0.0, 1.0);
    selftest_input(test, false, s.rows * s.dim, 0.5, 2.0);
    selftest_input(test, false, s.dim, 1.0, 0.2);
    selftest_input(test, false, s.rows, 0.5, 0.01);
    selftest_input(test, false, s.rows, 0.5, 0.01);
    selftest_in_out(test, false, s.rows * s.dim, 0.0, 1.0);
    selftest_shape(test, "[" I64 ", " I64 ", " I64 "]", s.batch, s.tokens, s.dim);
    test->call = call_layernorm_backward;
}

/* --- attention --- */

static struct df_attention_shape attention_shape(const struct selftest_case *test)
{
    const struct df_vit_config *vit = &test->setting->vit;
    return (struct df_attention_shape){test->setting->batch, sizes_of(test).tokens, vit->heads,
                                       vit->head_size};
}

static void name_attention(struct selftest_case *test, const char *operation)
{
    const struct df_attention_shape s = attention_shape(test);

    test->operation = operation;
    selftest_shape(test, "[" I64 ", " I64 ", 3, " I64 ", " I64 "]", s.batch, s.tokens, s.heads, s.head_size);
    test->bound_act = test->device_type == DF_BF16 ? BOUND_ATTENTION : BOUND_FLOAT;
}

/* Products of [N, head size] with [head size, N], or as large ones. */
static double attention_flops(const struct selftest_case *test, double products)
{
    const struct df_attention_shape s = attention_shape(test);
    return products * 2.0 * (double)(s.batch * s.heads) * (double)s.tokens * (double)s.tokens *
           (double)s.head_size;
}

static int call_rope(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->rope(side->backend, side->memory[0], attention_shape(test),
                                    sizes_of(test).prefix, side->memory[1], side->memory[2], false);
}

static void rope(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    name_attention(test, "rope");
    selftest_in_out(test, true, 3 * s.rows * s.dim, 0.0, 1.0);
    selftest_input(test, false, s.patches * test->setting->vit.head_size, 0.0, 0.5);
    selftest_input(test, false, s.patches * test->setting->vit.head_size, 0.0, 0.5);
    test->call = call_rope;
}

static int call_attention(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->attention_forward(side->backend, attention_shape(test), side->memory[0],
                                                 side->memory[1], side->memory[2]);
}

static void attention(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    name_attention(test, "attention_forward");
    selftest_input(test, true, 3 * s.rows * s.dim, 0.0, 1.0);
    selftest_output(test, true, s.rows * s.dim);
    selftest_output(test, false, s.batch * test->setting->vit.heads * s.tokens);
    test->flops = attention_flops(test, 2.0);
    test->call = call_attention;
}

static int call_attention_backward(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->attention_backward(side->backend, attention_shape(test), side->memory[0],
                                                  side->memory[1], side->memory[2], side->memory[3],
                                                  side->memory[4], true);
}

static void attention_backward(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    name_attention(test, "attention_backward");
    selftest_input(test, true, 3 * s.rows * s.dim, 0.0, 1.0);
    selftest_output(test, true, s.rows * s.dim);
    selftest_output(test, false, s.batch * test->setting->vit.heads * s.tokens);
    selftest_input(test, true, s.rows * s.dim, 0.0, 1.0);
    selftest_output(test, true, 3 * s.rows * s.dim);
    test->flops = attention_flops(test, 5.0);
    test->prepare = call_attention; /* out and lse are those of the side's own forward pass */
    test->call = call_attention_backward;
}

/* --- activations --- */

static int call_gelu(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->gelu_forward(side->backend, side->memory[0], side->memory[1],
                                            test->tensors[0].count);
}

static void gelu(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    test->operation = "gelu_forward";
    selftest_input(test, true, s.rows * s.hidden, 0.0, 2.0);
    selftest_output(test, true, s.rows * s.hidden);
    selftest_shape(test, "[" I64 ", " I64 "]", s.rows, s.hidden);
    test->call = call_gelu;
}

static int call_gelu_backward(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->gelu_backward(side->backend, side->memory[0], side->memory[1], side->memory[2],
                                             test->tensors[0].count);
}

static void gelu_backward(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    test->operation = "gelu_backward";
    selftest_input(test, true, s.rows * s.hidden, 0.0, 2.0);
    selftest_input(test, true, s.rows * s.hidden, 0.0, 1.0);
    selftest_output(test, true, s.rows * s.hidden);
    selftest_shape(test, "[" I64 ", " I64 "]", s.rows, s.hidden);
    test->call = call_gelu_backward;
}

static int call_swiglu(const struct selftest_case *test, struct selftest_side *side)
{
    const struct sizes s = sizes_of(test);
    return side->backend->ops->swiglu_forward(side->backend, side->memory[0], side->memory[1], s.rows,
                                              s.hidden);
}

static void swiglu(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    test->operation = "swiglu_forward";
    selftest_input(test, true, 2 * s.rows * s.hidden, 0.0, 2.0);
    selftest_output(test, true, s.rows * s.hidden);
    selftest_shape(test, "[" I64 ", " I64 "]", s.rows, 2 * s.hidden);
    test->call = call_swiglu;
}

static int call_swiglu_backward(const struct selftest_case *test, struct selftest_side *side)
{
    const struct sizes s = sizes_of(test);
    return side->backend->ops->swiglu_backward(side->backend, side->memory[0], side->memory[1],
                                               side->memory[2], s.rows, s.hidden);
}

static void swiglu_backward(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    test->operation = "swiglu_backward";
    selftest_input(test, true, 2 * s.rows * s.hidden, 0.0, 2.0);
    selftest_input(test, true, s.rows * s.hidden, 0.0, 1.0);
    selftest_output(test, true, 2 * s.rows * s.hidden);
    selftest_shape(test, "[" I64 ", " I64 "]", s.rows, 2 * s.hidden);
    test->call = call_swiglu_backward;
}

static int call_convert(const struct selftest_case *test, struct selftest_side *side)
{
    return side->backend->ops->convert(side->backend, side->memory[0], DF_F32, side->memory[1], act_of(side),
                                       test->tensors[0].count);
}

static void convert(struct selftest_case *test)
{
    const struct sizes s = sizes_of(test);

    test->operation = "convert";
    selftest_input(test, false, s.rows * s.dim, 0.0, 1.0);
    selftest_output(test, true, s.rows * s.dim);
    selftest_shape(test, "[" I64 "]", s.rows * s.dim);
    test->call = call_convert;
}

selftest_builder *const selftest_transformer[] = {
    image_normalize,
    patchify,
    assemble_tokens,
    layernorm,
    layernorm_backward,
    qkv,
    attention_out,
    feed_forward_in,
    feed_forward_out,
    qkv_backward,
    feed_forward_out_backward,
    lora_down,
    lora_up,
    lora_gradient,
    rope,
    attention,
    attention_backward,
    gelu,
    gelu_backward,
    swiglu,
    swiglu_backward,
    convert,
    NULL,
};
