/* The work of memory's operations, matrix products and the vision transformer's; work_decoder.c has the
 * decoders'. */
#include "work_text.h"

#include <stdarg.h>
#include <stdio.h>

#define SHORT_TEXT_MAX 96

struct df_work df_work_of(double flops, double bytes, const char *format, ...)
{
    struct df_work work = {.flops = flops, .bytes = bytes};

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(work.shape, sizeof work.shape, format, arguments);
    va_end(arguments);
    return work;
}

static double matrix_bytes(struct df_matrix m)
{
    return (double)(m.rows * m.cols) * (double)df_dtype_size(m.type);
}

struct short_text {
    char text[SHORT_TEXT_MAX];
};

/* "bf16[2452, 384]", or "bf16[2452, 384 of 1152]" for a block of columns. */
static struct short_text spell(struct df_matrix m)
{
    struct short_text result;
    if (m.ld == m.cols)
        snprintf(result.text, sizeof result.text, "%s[" I64 ", " I64 "]", df_type_mark(m.type), m.rows,
                 m.cols);
    else
        snprintf(result.text, sizeof result.text, "%s[" I64 ", " I64 " of " I64 "]", df_type_mark(m.type),
                 m.rows, m.cols, m.ld);
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

/* --- memory --- */

static struct df_work transfer(size_t bytes)
{
    return df_work_of(0, 2.0 * (double)bytes, "%zu bytes", bytes);
}

struct df_work df_work_upload(struct df_backend *backend, void *device, const void *host, size_t bytes)
{
    return transfer(bytes);
}

struct df_work df_work_download(struct df_backend *backend, void *host, const void *device, size_t bytes)
{
    return transfer(bytes);
}

struct df_work df_work_send(struct df_backend *backend, void *device, const void *host, size_t bytes)
{
    return transfer(bytes);
}

struct df_work df_work_copy(struct df_backend *backend, void *destination, const void *source, size_t bytes)
{
    return transfer(bytes);
}

struct df_work df_work_zero(struct df_backend *backend, void *memory, size_t bytes)
{
    return df_work_of(0, (double)bytes, "%zu bytes", bytes);
}

/* Of the images' own sizes, which are on the device, nothing is known here: bytes are those of the results.
 */
struct df_work df_work_resize_batch(struct df_backend *backend, const struct df_packed_batch *batch,
                                    float *image, uint8_t *labels)
{
    const int64_t pixels = batch->count * batch->height * batch->width;
    return df_work_of(0, df_f32_bytes(3 * pixels) + (double)pixels, "[" I64 "] to " I64 " x " I64,
                      batch->count, batch->height, batch->width);
}

/* --- matrix products --- */

static struct df_work linear(struct df_backend *backend, struct df_matrix x, struct df_matrix y,
                             bool accumulate)
{
    return df_work_of(2.0 * (double)x.rows * (double)x.cols * (double)y.cols,
                      matrix_bytes(x) + df_act_bytes(backend, x.cols * y.cols) +
                          df_result_passes(accumulate) * matrix_bytes(y),
                      "%s %s %s", spell(x).text, df_result_arrow(accumulate), spell(y).text);
}

struct df_work df_work_linear_forward(struct df_backend *backend, const struct df_linear *layer,
                                      struct df_matrix x, struct df_matrix y, const void *residual)
{
    return linear(backend, x, y, residual != NULL);
}

struct df_work df_work_linear_backward(struct df_backend *backend, const struct df_linear *layer,
                                       struct df_matrix dy, struct df_matrix dx, bool accumulate)
{
    return linear(backend, dy, dx, accumulate);
}

struct df_work df_work_matmul(struct df_backend *backend, struct df_matrix a, bool transpose_a,
                              struct df_matrix b, bool transpose_b, struct df_matrix c, bool accumulate)
{
    return df_work_of(2.0 * (double)(a.rows * a.cols) * (double)c.cols,
                      matrix_bytes(a) + matrix_bytes(b) + df_result_passes(accumulate) * matrix_bytes(c),
                      "%s%s * %s%s %s %s", spell(a).text, transpose_a ? "^T" : "", spell(b).text,
                      transpose_b ? "^T" : "", df_result_arrow(accumulate), spell(c).text);
}

struct df_work df_work_column_sum(struct df_backend *backend, struct df_matrix x, float *out)
{
    return df_work_of(0, matrix_bytes(x), "%s", spell(x).text);
}

struct df_work df_work_add_bias(struct df_backend *backend, struct df_matrix x, const float *bias)
{
    return df_work_of(0, 2.0 * matrix_bytes(x), "%s", spell(x).text);
}

struct df_work df_work_dropout(struct df_backend *backend, const void *x, const struct df_dropout_draw *draw,
                               uint64_t stream, double probability, void *y, int64_t rows, int64_t cols)
{
    return df_work_of(0, df_act_bytes(backend, 2 * rows * cols), "[" I64 ", " I64 "]", rows, cols);
}

struct df_work df_work_scale_columns(struct df_backend *backend, struct df_matrix x, const float *factors,
                                     const float *bias, const void *residual, struct df_matrix y)
{
    return df_work_of(0, matrix_bytes(x) + df_result_passes(residual) * matrix_bytes(y), "%s %s %s",
                      spell(x).text, df_result_arrow(residual), spell(y).text);
}

struct df_work df_work_dora_factors(struct df_backend *backend, const struct df_dora_rows *rows,
                                    float *factors, float *excess, float *b_factors)
{
    return df_work_of(0, matrix_bytes(rows->b) + matrix_bytes(rows->products) + matrix_bytes(rows->gram),
                      I64 " rows, rank " I64, rows->b.rows, rows->b.cols);
}

struct df_work df_work_dora_gradient(struct df_backend *backend, struct df_matrix dy, struct df_matrix y,
                                     const float *bias, const void *residual, const float *magnitude,
                                     float *gradient)
{
    return df_work_of(0, matrix_bytes(dy) + df_result_passes(residual) * matrix_bytes(y), "%s, %s%s",
                      spell(dy).text, spell(y).text, residual ? " - residual" : "");
}

/* --- the vision transformer --- */

struct df_work df_work_image_normalize(struct df_backend *backend, const uint8_t *pixels, float *image,
                                       int64_t batch, int64_t height, int64_t width, const float mean[3],
                                       const float std[3])
{
    const int64_t count = 3 * batch * height * width;
    return df_work_of(0, (double)count + df_f32_bytes(count), "[" I64 ", " I64 ", " I64 ", 3]", batch, height,
                      width);
}

struct df_work df_work_patchify(struct df_backend *backend, const float *image, void *patches, int64_t batch,
                                int64_t height, int64_t width, int64_t patch)
{
    const int64_t count = 3 * batch * height * width;
    return df_work_of(0, df_f32_bytes(count) + df_act_bytes(backend, count),
                      "[" I64 ", 3, " I64 ", " I64 "], patches of " I64, batch, height, width, patch);
}

struct df_work df_work_assemble_tokens(struct df_backend *backend, const float *patches, const float *prefix,
                                       const float *pos, float *x, struct df_token_rows rows, int64_t dim)
{
    const int64_t read = (rows.batch + (pos ? 1 : 0)) * rows.rows * dim;
    return df_work_of(0, df_f32_bytes(read + rows.batch * rows.tokens * dim), "%s",
                      spell_rows(rows, dim).text);
}

/* passes: how often the rows are read or written as float32, beside once in the type. */
static struct df_work layernorm(struct df_token_rows rows, int64_t dim, int passes, enum df_dtype type)
{
    const int64_t count = rows.batch * rows.rows * dim;
    return df_work_of(0, passes * df_f32_bytes(count) + (double)count * (double)df_dtype_size(type), "%s%s",
                      df_type_mark(type), spell_rows(rows, dim).text);
}

struct df_work df_work_layernorm_forward(struct df_backend *backend, const float *x,
                                         struct df_token_rows rows, int64_t dim, const float *gamma,
                                         const float *beta, float eps, void *y, enum df_dtype type,
                                         float *mean, float *rstd)
{
    return layernorm(rows, dim, 1, type);
}

struct df_work df_work_layernorm_backward(struct df_backend *backend, const void *dy, enum df_dtype type,
                                          const float *x, struct df_token_rows rows, int64_t dim,
                                          const float *gamma, const float *mean, const float *rstd, float *dx)
{
    return layernorm(rows, dim, 3, type);
}

struct df_work df_work_rope_tables(struct df_backend *backend, const float *periods, const float *rescale,
                                   int64_t count, int64_t h, int64_t w, int64_t head_size, float *tables)
{
    return df_work_of(0, df_f32_bytes(2 * count * h * w * head_size),
                      "[" I64 ", 2, " I64 " x " I64 ", " I64 "]", count, h, w, head_size);
}

struct df_work df_work_rope(struct df_backend *backend, void *qkv, struct df_attention_shape shape,
                            int64_t prefix_tokens, const float *sin, const float *cos, bool inverse)
{
    const int64_t patches = shape.tokens - prefix_tokens, dim = shape.heads * shape.head_size;
    return df_work_of(0,
                      2.0 * df_act_bytes(backend, 2 * shape.batch * patches * dim) +
                          df_f32_bytes(2 * patches * shape.head_size),
                      "%s[" I64 ", " I64 " of " I64 ", 2 of 3, " I64 ", " I64 "]",
                      df_type_mark(backend->compute), shape.batch, patches, shape.tokens, shape.heads,
                      shape.head_size);
}

/* products: how many of N x N scores with a head's tokens. tensors: how many of [B, N, D] are read or
 * written. */
static struct df_work attention(struct df_backend *backend, struct df_attention_shape shape, int products,
                                int tensors, const char *remark)
{
    const int64_t count = shape.batch * shape.tokens * shape.heads * shape.head_size;
    return df_work_of(2.0 * products * (double)count * (double)shape.tokens,
                      tensors * df_act_bytes(backend, count), "%s[" I64 ", " I64 ", 3, " I64 ", " I64 "]%s",
                      df_type_mark(backend->compute), shape.batch, shape.tokens, shape.heads, shape.head_size,
                      remark);
}

struct df_work df_work_attention_forward(struct df_backend *backend, struct df_attention_shape shape,
                                         const void *qkv, void *out, float *lse)
{
    return attention(backend, shape, 2, 4, "");
}

/* The scores again, and the gradients of q, k, v and of the probabilities. */
struct df_work df_work_attention_backward(struct df_backend *backend, struct df_attention_shape shape,
                                          const void *qkv, const void *out, const float *lse,
                                          const void *dout, void *dqkv, bool need_dk)
{
    return need_dk ? attention(backend, shape, 5, 8, "") : attention(backend, shape, 4, 7, " without dk");
}

static struct df_work gelu(struct df_backend *backend, int64_t count, int tensors)
{
    return df_work_of(0, df_act_bytes(backend, tensors * count), "%s[" I64 "]",
                      df_type_mark(backend->compute), count);
}

struct df_work df_work_gelu_forward(struct df_backend *backend, const void *x, void *y, int64_t count)
{
    return gelu(backend, count, 2);
}

struct df_work df_work_gelu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx,
                                     int64_t count)
{
    return gelu(backend, count, 3);
}

/* halves: how many of [M, hidden] are read or written. */
static struct df_work swiglu(struct df_backend *backend, int64_t rows, int64_t hidden, int halves)
{
    return df_work_of(0, df_act_bytes(backend, halves * rows * hidden), "%s[" I64 ", 2 * " I64 "]",
                      df_type_mark(backend->compute), rows, hidden);
}

struct df_work df_work_swiglu_forward(struct df_backend *backend, const void *x, void *y, int64_t rows,
                                      int64_t hidden)
{
    return swiglu(backend, rows, hidden, 3);
}

struct df_work df_work_swiglu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx,
                                       int64_t rows, int64_t hidden)
{
    return swiglu(backend, rows, hidden, 5);
}

struct df_work df_work_convert(struct df_backend *backend, const void *source, enum df_dtype from,
                               void *destination, enum df_dtype to, int64_t count)
{
    return df_work_of(0, (double)count * (double)(df_dtype_size(from) + df_dtype_size(to)),
                      "%s[" I64 "] -> %s", df_type_mark(from), count, df_dtype_name(to));
}
