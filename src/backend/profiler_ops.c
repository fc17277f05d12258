/* The profiler's table of operations: each says what the call has to do, and hands it on between two looks at
 * the clock.
 *
 * FLOP are counted as df_segmenter_flops() counts them: matrix products, convolutions and attention. Bytes
 * are those of the tensors, each read or written once, without the few of a bias or a row of gamma. A tensor
 * of the compute type has that type in front of its shape, unless it is float32. */
#include "profiler.h"

#include <inttypes.h>
#include <stdio.h>

#define I64 "%" PRId64 /* in a format: a count or a size */

#define SHORT_TEXT_MAX 96

/* Hands the call on; the operation's name, its function and its row are one word. */
#define HAND_ON(operation, ...)                                                                              \
    df_profiler_leave(backend, &call, #operation, call.inner->ops->operation(call.inner, __VA_ARGS__))

static const char *mark(enum df_dtype type)
{
    return type == DF_BF16 ? "bf16" : "";
}

static const char *act_mark(const struct df_backend *backend)
{
    return mark(backend->compute);
}

/* Bytes of count elements. */
static double act(const struct df_backend *backend, int64_t count)
{
    return (double)count * (double)df_dtype_size(backend->compute);
}

static double f32(int64_t count)
{
    return (double)count * sizeof(float);
}

static double matrix(struct df_matrix m)
{
    return (double)(m.rows * m.cols) * (double)df_dtype_size(m.type);
}

/* What is added to is read first. */
static int result_passes(bool accumulate)
{
    return accumulate ? 2 : 1;
}

static const char *arrow(bool accumulate)
{
    return accumulate ? "-> +=" : "->";
}

struct short_text {
    char text[SHORT_TEXT_MAX];
};

/* "bf16[2452, 384]", or "bf16[2452, 384 of 1152]" for a block of columns. */
static struct short_text spell(struct df_matrix m)
{
    struct short_text result;
    if (m.ld == m.cols)
        snprintf(result.text, sizeof result.text, "%s[" I64 ", " I64 "]", mark(m.type), m.rows, m.cols);
    else
        snprintf(result.text, sizeof result.text, "%s[" I64 ", " I64 " of " I64 "]", mark(m.type), m.rows,
                 m.cols, m.ld);
    return result;
}

/* "[2, 1230, 384]", or "[2, 1225 of 1230, 384]" for some of an image's rows. */
static struct short_text spell_rows(struct df_token_rows rows, int64_t dim)
{
    struct short_text result;
    if (rows.rows == rows.tokens)
        snprintf(result.text, sizeof result.text, "[" I64 ", " I64 ", " I64 "]", rows.batch, rows.rows, dim);
    else
        snprintf(result.text, sizeof result.text, "[" I64 ", " I64 " of " I64 ", " I64 "]", rows.batch,
                 rows.rows, rows.tokens, dim);
    return result;
}

/* --- making ready: no part of a step, handed on without being timed --- */

static void *alloc_plain(struct df_backend *backend, size_t bytes)
{
    struct df_backend *inner = df_profiler_inner(backend);
    return inner->ops->alloc(inner, bytes);
}

static void free_plain(struct df_backend *backend, void *memory)
{
    struct df_backend *inner = df_profiler_inner(backend);
    inner->ops->free(inner, memory);
}

static struct df_linear *linear_create_plain(struct df_backend *backend, const float *weight,
                                             const float *bias, int64_t out, int64_t in, int64_t usual_rows,
                                             bool backward)
{
    struct df_backend *inner = df_profiler_inner(backend);
    return inner->ops->linear_create(inner, weight, bias, out, in, usual_rows, backward);
}

static void linear_free_plain(struct df_backend *backend, struct df_linear *linear)
{
    struct df_backend *inner = df_profiler_inner(backend);
    inner->ops->linear_free(inner, linear);
}

static int linear_bytes_plain(struct df_backend *backend, int64_t out, int64_t in, int64_t usual_rows,
                              bool backward, size_t *bytes)
{
    struct df_backend *inner = df_profiler_inner(backend);
    return inner->ops->linear_bytes(inner, out, in, usual_rows, backward, bytes);
}

static int wait_plain(struct df_backend *backend)
{
    struct df_backend *inner = df_profiler_inner(backend);
    return inner->ops->wait(inner);
}

static int memory_plain(struct df_backend *backend, struct df_memory_use *use)
{
    struct df_backend *inner = df_profiler_inner(backend);
    return inner->ops->memory(inner, use);
}

/* Each operation is to be timed, so none is taken down. */
static int repeat_plain(struct df_backend *backend, struct df_recording **recording, df_backend_work *work,
                        void *argument)
{
    (void)backend;
    (void)recording;
    return work(argument);
}

static void recording_free_plain(struct df_backend *backend, struct df_recording *recording)
{
    struct df_backend *inner = df_profiler_inner(backend);
    inner->ops->recording_free(inner, recording);
}

static void *host_alloc_plain(struct df_backend *backend, size_t bytes)
{
    struct df_backend *inner = df_profiler_inner(backend);
    return inner->ops->host_alloc(inner, bytes);
}

static void host_free_plain(struct df_backend *backend, void *memory)
{
    struct df_backend *inner = df_profiler_inner(backend);
    inner->ops->host_free(inner, memory);
}

static int sent_plain(struct df_backend *backend)
{
    struct df_backend *inner = df_profiler_inner(backend);
    return inner->ops->sent(inner);
}

/* --- memory --- */

static struct profiled_call enter_transfer(struct df_backend *backend, size_t bytes)
{
    return df_profiler_enter(backend, (struct profiled_work){0, 2.0 * (double)bytes}, "%zu bytes", bytes);
}

static int upload_timed(struct df_backend *backend, void *device, const void *host, size_t bytes)
{
    struct profiled_call call = enter_transfer(backend, bytes);
    return HAND_ON(upload, device, host, bytes);
}

static int download_timed(struct df_backend *backend, void *host, const void *device, size_t bytes)
{
    struct profiled_call call = enter_transfer(backend, bytes);
    return HAND_ON(download, host, device, bytes);
}

static int send_timed(struct df_backend *backend, void *device, const void *host, size_t bytes)
{
    struct profiled_call call = enter_transfer(backend, bytes);
    return HAND_ON(send, device, host, bytes);
}

/* Of the images' own sizes, which are on the device, nothing is known here: bytes are those of the results.
 */
static int resize_batch_timed(struct df_backend *backend, const struct df_packed_batch *batch, float *image,
                              uint8_t *labels)
{
    const int64_t pixels = batch->count * batch->height * batch->width;
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, f32(3 * pixels) + (double)pixels},
                          "[" I64 "] to " I64 " x " I64, batch->count, batch->height, batch->width);
    return HAND_ON(resize_batch, batch, image, labels);
}

static int copy_timed(struct df_backend *backend, void *destination, const void *source, size_t bytes)
{
    struct profiled_call call = enter_transfer(backend, bytes);
    return HAND_ON(copy, destination, source, bytes);
}

static int zero_timed(struct df_backend *backend, void *memory, size_t bytes)
{
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, (double)bytes}, "%zu bytes", bytes);
    return HAND_ON(zero, memory, bytes);
}

/* --- matrix products --- */

static struct profiled_call enter_linear(struct df_backend *backend, struct df_matrix x, struct df_matrix y,
                                         bool accumulate)
{
    struct profiled_work work = {2.0 * (double)x.rows * (double)x.cols * (double)y.cols,
                                 matrix(x) + act(backend, x.cols * y.cols) +
                                     result_passes(accumulate) * matrix(y)};
    return df_profiler_enter(backend, work, "%s %s %s", spell(x).text, arrow(accumulate), spell(y).text);
}

static int linear_forward_timed(struct df_backend *backend, const struct df_linear *linear,
                                struct df_matrix x, struct df_matrix y, const void *residual)
{
    struct profiled_call call = enter_linear(backend, x, y, residual != NULL);
    return HAND_ON(linear_forward, linear, x, y, residual);
}

static int linear_backward_timed(struct df_backend *backend, const struct df_linear *linear,
                                 struct df_matrix dy, struct df_matrix dx, bool accumulate)
{
    struct profiled_call call = enter_linear(backend, dy, dx, accumulate);
    return HAND_ON(linear_backward, linear, dy, dx, accumulate);
}

static int matmul_timed(struct df_backend *backend, struct df_matrix a, bool transpose_a, struct df_matrix b,
                        bool transpose_b, struct df_matrix c, bool accumulate)
{
    struct profiled_work work = {2.0 * (double)(a.rows * a.cols) * (double)c.cols,
                                 matrix(a) + matrix(b) + result_passes(accumulate) * matrix(c)};
    struct profiled_call call =
        df_profiler_enter(backend, work, "%s%s * %s%s %s %s", spell(a).text, transpose_a ? "^T" : "",
                          spell(b).text, transpose_b ? "^T" : "", arrow(accumulate), spell(c).text);
    return HAND_ON(matmul, a, transpose_a, b, transpose_b, c, accumulate);
}

static int column_sum_timed(struct df_backend *backend, struct df_matrix x, float *out)
{
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, matrix(x)}, "%s", spell(x).text);
    return HAND_ON(column_sum, x, out);
}

static int add_bias_timed(struct df_backend *backend, struct df_matrix x, const float *bias)
{
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, 2.0 * matrix(x)}, "%s", spell(x).text);
    return HAND_ON(add_bias, x, bias);
}

/* --- the vision transformer --- */

static int image_normalize_timed(struct df_backend *backend, const uint8_t *pixels, float *image,
                                 int64_t batch, int64_t height, int64_t width, const float mean[3],
                                 const float std[3])
{
    const int64_t count = 3 * batch * height * width;
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, (double)count + f32(count)},
                          "[" I64 ", " I64 ", " I64 ", 3]", batch, height, width);
    return HAND_ON(image_normalize, pixels, image, batch, height, width, mean, std);
}

static int patchify_timed(struct df_backend *backend, const float *image, void *patches, int64_t batch,
                          int64_t height, int64_t width, int64_t patch)
{
    const int64_t count = 3 * batch * height * width;
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, f32(count) + act(backend, count)},
                          "[" I64 ", 3, " I64 ", " I64 "], patches of " I64, batch, height, width, patch);
    return HAND_ON(patchify, image, patches, batch, height, width, patch);
}

static int assemble_tokens_timed(struct df_backend *backend, const float *patches, const float *prefix,
                                 const float *pos, float *x, struct df_token_rows rows, int64_t dim)
{
    const int64_t read = (rows.batch + (pos ? 1 : 0)) * rows.rows * dim;
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, f32(read + rows.batch * rows.tokens * dim)},
                          "%s", spell_rows(rows, dim).text);
    return HAND_ON(assemble_tokens, patches, prefix, pos, x, rows, dim);
}

/* passes: how often the rows are read or written as float32, beside once in the type. */
static struct profiled_call enter_layernorm(struct df_backend *backend, struct df_token_rows rows,
                                            int64_t dim, int passes, enum df_dtype type)
{
    const int64_t count = rows.batch * rows.rows * dim;
    struct profiled_work work = {0, passes * f32(count) + (double)count * (double)df_dtype_size(type)};
    return df_profiler_enter(backend, work, "%s%s", mark(type), spell_rows(rows, dim).text);
}

static int layernorm_forward_timed(struct df_backend *backend, const float *x, struct df_token_rows rows,
                                   int64_t dim, const float *gamma, const float *beta, float eps, void *y,
                                   enum df_dtype type, float *mean, float *rstd)
{
    struct profiled_call call = enter_layernorm(backend, rows, dim, 1, type);
    return HAND_ON(layernorm_forward, x, rows, dim, gamma, beta, eps, y, type, mean, rstd);
}

static int layernorm_backward_timed(struct df_backend *backend, const void *dy, enum df_dtype type,
                                    const float *x, struct df_token_rows rows, int64_t dim,
                                    const float *gamma, const float *mean, const float *rstd, float *dx)
{
    struct profiled_call call = enter_layernorm(backend, rows, dim, 3, type);
    return HAND_ON(layernorm_backward, dy, type, x, rows, dim, gamma, mean, rstd, dx);
}

static int rope_timed(struct df_backend *backend, void *qkv, struct df_attention_shape shape,
                      int64_t prefix_tokens, const float *sin, const float *cos, bool inverse)
{
    const int64_t patches = shape.tokens - prefix_tokens, dim = shape.heads * shape.head_size;
    struct profiled_work work = {0, 2.0 * act(backend, 2 * shape.batch * patches * dim) +
                                        f32(2 * patches * shape.head_size)};
    struct profiled_call call = df_profiler_enter(
        backend, work, "%s[" I64 ", " I64 " of " I64 ", 2 of 3, " I64 ", " I64 "]", act_mark(backend),
        shape.batch, patches, shape.tokens, shape.heads, shape.head_size);
    return HAND_ON(rope, qkv, shape, prefix_tokens, sin, cos, inverse);
}

/* products: how many of N x N scores with a head's tokens. tensors: how many of [B, N, D] are read or
 * written. */
static struct profiled_call enter_attention(struct df_backend *backend, struct df_attention_shape shape,
                                            int products, int tensors, const char *remark)
{
    const int64_t count = shape.batch * shape.tokens * shape.heads * shape.head_size;
    struct profiled_work work = {2.0 * products * (double)count * (double)shape.tokens,
                                 tensors * act(backend, count)};
    return df_profiler_enter(backend, work, "%s[" I64 ", " I64 ", 3, " I64 ", " I64 "]%s", act_mark(backend),
                             shape.batch, shape.tokens, shape.heads, shape.head_size, remark);
}

static int attention_forward_timed(struct df_backend *backend, struct df_attention_shape shape,
                                   const void *qkv, void *out, float *lse)
{
    struct profiled_call call = enter_attention(backend, shape, 2, 4, "");
    return HAND_ON(attention_forward, shape, qkv, out, lse);
}

static int attention_backward_timed(struct df_backend *backend, struct df_attention_shape shape,
                                    const void *qkv, const void *out, const float *lse, const void *dout,
                                    void *dqkv, bool need_dk)
{
    struct profiled_call call = need_dk ? enter_attention(backend, shape, 5, 8, "")
                                        : enter_attention(backend, shape, 4, 7, " without dk");
    return HAND_ON(attention_backward, shape, qkv, out, lse, dout, dqkv, need_dk);
}

static int gelu_forward_timed(struct df_backend *backend, const void *x, void *y, int64_t count)
{
    struct profiled_call call = df_profiler_enter(backend, (struct profiled_work){0, act(backend, 2 * count)},
                                                  "%s[" I64 "]", act_mark(backend), count);
    return HAND_ON(gelu_forward, x, y, count);
}

static int gelu_backward_timed(struct df_backend *backend, const void *x, const void *dy, void *dx,
                               int64_t count)
{
    struct profiled_call call = df_profiler_enter(backend, (struct profiled_work){0, act(backend, 3 * count)},
                                                  "%s[" I64 "]", act_mark(backend), count);
    return HAND_ON(gelu_backward, x, dy, dx, count);
}

/* halves: how many of [M, hidden] are read or written. */
static struct profiled_call enter_swiglu(struct df_backend *backend, int64_t rows, int64_t hidden, int halves)
{
    return df_profiler_enter(backend, (struct profiled_work){0, act(backend, halves * rows * hidden)},
                             "%s[" I64 ", 2 * " I64 "]", act_mark(backend), rows, hidden);
}

static int swiglu_forward_timed(struct df_backend *backend, const void *x, void *y, int64_t rows,
                                int64_t hidden)
{
    struct profiled_call call = enter_swiglu(backend, rows, hidden, 3);
    return HAND_ON(swiglu_forward, x, y, rows, hidden);
}

static int swiglu_backward_timed(struct df_backend *backend, const void *x, const void *dy, void *dx,
                                 int64_t rows, int64_t hidden)
{
    struct profiled_call call = enter_swiglu(backend, rows, hidden, 5);
    return HAND_ON(swiglu_backward, x, dy, dx, rows, hidden);
}

static int convert_timed(struct df_backend *backend, const void *source, enum df_dtype from,
                         void *destination, enum df_dtype to, int64_t count)
{
    const double bytes = (double)count * (double)(df_dtype_size(from) + df_dtype_size(to));
    struct profiled_call call = df_profiler_enter(backend, (struct profiled_work){0, bytes},
                                                  "%s[" I64 "] -> %s", mark(from), count, df_dtype_name(to));
    return HAND_ON(convert, source, from, destination, to, count);
}

/* --- decoders: maps are float32 --- */

static struct profiled_call enter_conv(struct df_backend *backend, struct df_conv_shape shape)
{
    const int64_t out_h = shape.height - shape.kernel + 1, out_w = shape.width - shape.kernel + 1;
    const int64_t outputs = shape.batch * out_h * out_w * shape.out;
    const int64_t weights = shape.in * shape.kernel * shape.kernel;
    struct profiled_work work = {2.0 * (double)outputs * (double)weights,
                                 f32(shape.batch * shape.height * shape.width * shape.in + outputs) +
                                     f32(shape.out * weights)};
    return df_profiler_enter(backend, work, "[" I64 ", " I64 ", " I64 ", " I64 "], " I64 " x " I64 " to " I64,
                             shape.batch, shape.height, shape.width, shape.in, shape.kernel, shape.kernel,
                             shape.out);
}

static int conv_forward_timed(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                              const float *weight, const float *bias, float *y)
{
    struct profiled_call call = enter_conv(backend, shape);
    return HAND_ON(conv_forward, shape, x, weight, bias, y);
}

static int conv_backward_data_timed(struct df_backend *backend, struct df_conv_shape shape, const float *dy,
                                    const float *weight, float *dx)
{
    struct profiled_call call = enter_conv(backend, shape);
    return HAND_ON(conv_backward_data, shape, dy, weight, dx);
}

static int conv_backward_weight_timed(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                      const float *dy, float *dweight)
{
    struct profiled_call call = enter_conv(backend, shape);
    return HAND_ON(conv_backward_weight, shape, x, dy, dweight);
}

static struct profiled_call enter_batchnorm(struct df_backend *backend, const struct df_batchnorm *norm,
                                            int tensors)
{
    return df_profiler_enter(backend, (struct profiled_work){0, f32(tensors * norm->rows * norm->channels)},
                             "[" I64 ", " I64 "]", norm->rows, norm->channels);
}

static int batchnorm_relu_forward_timed(struct df_backend *backend, const struct df_batchnorm *norm,
                                        bool training, const float *x, float *y)
{
    struct profiled_call call = enter_batchnorm(backend, norm, 2);
    return HAND_ON(batchnorm_relu_forward, norm, training, x, y);
}

static int batchnorm_relu_backward_timed(struct df_backend *backend, const struct df_batchnorm *norm,
                                         const float *x, const float *y, const float *dy, float *dx,
                                         float *dgamma, float *dbeta)
{
    struct profiled_call call = enter_batchnorm(backend, norm, 4);
    return HAND_ON(batchnorm_relu_backward, norm, x, y, dy, dx, dgamma, dbeta);
}

static int nearest_forward_timed(struct df_backend *backend, const float *x, int64_t batch, int64_t h,
                                 int64_t w, float *y, int64_t height, int64_t width, int64_t channels,
                                 bool accumulate)
{
    const int64_t pixels = h * w + result_passes(accumulate) * height * width;
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, f32(batch * pixels * channels)},
                          "[" I64 ", " I64 ", " I64 ", " I64 "] %s " I64 " x " I64, batch, h, w, channels,
                          arrow(accumulate), height, width);
    return HAND_ON(nearest_forward, x, batch, h, w, y, height, width, channels, accumulate);
}

static int nearest_backward_timed(struct df_backend *backend, const float *dy, int64_t batch, int64_t height,
                                  int64_t width, float *dx, int64_t h, int64_t w, int64_t channels)
{
    const int64_t pixels = h * w + height * width;
    struct profiled_call call = df_profiler_enter(
        backend, (struct profiled_work){0, f32(batch * pixels * channels)},
        "[" I64 ", " I64 ", " I64 ", " I64 "] -> " I64 " x " I64, batch, height, width, channels, h, w);
    return HAND_ON(nearest_backward, dy, batch, height, width, dx, h, w, channels);
}

static int upsample_loss_timed(struct df_backend *backend, struct df_upsample_loss *work, float *scratch)
{
    const int64_t logits = work->batch * work->h * work->w * work->classes;
    const int64_t pixels = work->batch * work->height * work->width;
    const double bytes = f32(logits) + (work->dlogits ? f32(logits) : 0.0) +
                         (work->labels ? (double)pixels : 0.0) + (work->prediction ? (double)pixels : 0.0);
    struct profiled_call call = df_profiler_enter(
        backend, (struct profiled_work){0, bytes},
        "[" I64 ", " I64 ", " I64 ", " I64 "] to " I64 " x " I64 "%s%s%s", work->batch, work->h, work->w,
        work->classes, work->height, work->width, work->labels ? ", loss" : "",
        work->dlogits ? ", gradient" : "", work->prediction ? ", prediction" : "");
    return HAND_ON(upsample_loss, work, scratch);
}

static int upsample_logits_timed(struct df_backend *backend, const float *logits, float *out, int64_t batch,
                                 int64_t h, int64_t w, int64_t classes, int64_t height, int64_t width)
{
    struct profiled_call call = df_profiler_enter(
        backend, (struct profiled_work){0, f32(batch * classes * (h * w + height * width))},
        "[" I64 ", " I64 ", " I64 ", " I64 "] to " I64 " x " I64, batch, h, w, classes, height, width);
    return HAND_ON(upsample_logits, logits, out, batch, h, w, classes, height, width);
}

static int add_window_timed(struct df_backend *backend, const struct df_window *window, const float *logits,
                            float *canvas)
{
    const int64_t pixels = window->h * window->w + 2 * window->height * window->width;
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, f32(pixels * window->classes)},
                          "[" I64 ", " I64 ", " I64 "] to " I64 " x " I64, window->h, window->w,
                          window->classes, window->height, window->width);
    return HAND_ON(add_window, window, logits, canvas);
}

static int add_probabilities_timed(struct df_backend *backend, const float *logits, int64_t h, int64_t w,
                                   int64_t classes, bool mirrored, float *sum, int64_t height, int64_t width)
{
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, f32((h * w + 2 * height * width) * classes)},
                          "[" I64 ", " I64 ", " I64 "] to " I64 " x " I64 "%s", h, w, classes, height, width,
                          mirrored ? ", mirrored" : "");
    return HAND_ON(add_probabilities, logits, h, w, classes, mirrored, sum, height, width);
}

static int decide_timed(struct df_backend *backend, const float *sum, int64_t count, int64_t classes,
                        int64_t views, const uint8_t *labels, uint8_t *prediction, double *loss_sum,
                        int64_t *loss_count)
{
    const double bytes = f32(count * classes) + (double)(labels ? 2 * count : count);
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, bytes}, "[" I64 ", " I64 "]", count, classes);
    return HAND_ON(decide, sum, count, classes, views, labels, prediction, loss_sum, loss_count);
}

static int count_pairs_timed(struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels,
                             int64_t count, int64_t classes, int64_t *pairs)
{
    struct profiled_call call = df_profiler_enter(backend, (struct profiled_work){0, 2.0 * (double)count},
                                                  "[" I64 "], " I64 " classes", count, classes);
    return HAND_ON(count_pairs, prediction, labels, count, classes, pairs);
}

/* --- the optimiser --- */

static int adamw_timed(struct df_backend *backend, const struct df_adamw *settings, float *parameter,
                       const float *gradient, float *m, float *v, int64_t count)
{
    /* the parameter and both moments are read and written, the gradient is read */
    struct profiled_call call =
        df_profiler_enter(backend, (struct profiled_work){0, f32(7 * count)}, "[" I64 "]", count);
    return HAND_ON(adamw, settings, parameter, gradient, m, v, count);
}

static const struct df_backend_ops timed_ops = {
    .close = df_profiler_close,
    .alloc = alloc_plain,
    .free = free_plain,
    .upload = upload_timed,
    .download = download_timed,
    .copy = copy_timed,
    .zero = zero_timed,
    .wait = wait_plain,
    .memory = memory_plain,
    .repeat = repeat_plain,
    .recording_free = recording_free_plain,
    .host_alloc = host_alloc_plain,
    .host_free = host_free_plain,
    .send = send_timed,
    .sent = sent_plain,
    .resize_batch = resize_batch_timed,
    .linear_create = linear_create_plain,
    .linear_free = linear_free_plain,
    .linear_bytes = linear_bytes_plain,
    .linear_forward = linear_forward_timed,
    .linear_backward = linear_backward_timed,
    .matmul = matmul_timed,
    .column_sum = column_sum_timed,
    .add_bias = add_bias_timed,
    .image_normalize = image_normalize_timed,
    .patchify = patchify_timed,
    .assemble_tokens = assemble_tokens_timed,
    .layernorm_forward = layernorm_forward_timed,
    .layernorm_backward = layernorm_backward_timed,
    .rope = rope_timed,
    .attention_forward = attention_forward_timed,
    .attention_backward = attention_backward_timed,
    .gelu_forward = gelu_forward_timed,
    .gelu_backward = gelu_backward_timed,
    .swiglu_forward = swiglu_forward_timed,
    .swiglu_backward = swiglu_backward_timed,
    .convert = convert_timed,
    .conv_forward = conv_forward_timed,
    .conv_backward_data = conv_backward_data_timed,
    .conv_backward_weight = conv_backward_weight_timed,
    .batchnorm_relu_forward = batchnorm_relu_forward_timed,
    .batchnorm_relu_backward = batchnorm_relu_backward_timed,
    .nearest_forward = nearest_forward_timed,
    .nearest_backward = nearest_backward_timed,
    .upsample_loss = upsample_loss_timed,
    .upsample_logits = upsample_logits_timed,
    .add_window = add_window_timed,
    .add_probabilities = add_probabilities_timed,
    .decide = decide_timed,
    .count_pairs = count_pairs_timed,
    .adamw = adamw_timed,
};

_Static_assert(sizeof(struct df_backend_ops) == 51 * sizeof(void (*)(void)),
               "an operation that is new in struct df_backend_ops is wanted in the table above too");

struct df_backend *df_profiler_open(struct df_backend *backend, int64_t max_steps)
{
    return df_profiler_create(backend, &timed_ops, max_steps);
}
