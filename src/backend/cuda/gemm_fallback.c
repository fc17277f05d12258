/* Products for which the library has no algorithm: because of rows that are not aligned, an addition that it
 * does not make as it stores, or types. Each of these is taken from the product until the library has an
 * algorithm for what is left; at last our own kernel multiplies. What was found is kept as the products'
 * plans (gemm.c), so that each is asked for once. */
#include "gemm.h"

#include "cuda_backend.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <string.h>

/* `value` rounded up to what is a whole number of 16 bytes. */
static int64_t padded(int64_t value, enum df_dtype type)
{
    const int64_t step = 16 / (int64_t)df_dtype_size(type);
    return (value + step - 1) / step * step;
}

static void note(struct df_cuda_context *context, const char *what)
{
    char *algorithm = context->backend.algorithm;
    const size_t length = strlen(algorithm);

    snprintf(algorithm + length, sizeof context->backend.algorithm - length, ", %s", what);
}

static bool is_padded(const struct df_gemm *gemm)
{
    return padded(gemm->a.cols, gemm->a.type) == gemm->a.cols &&
           df_gemm_alignment(gemm->a.data, &gemm->a) == 16 && df_gemm_alignment(gemm->b.data, &gemm->b) == 16;
}

/* `to` is the matrix's size with padding, its data where it is to lie: zeros around the copy. */
static int copy_padded(struct df_cuda_context *context, struct df_matrix from, struct df_matrix to)
{
    struct df_matrix part = to;

    part.rows = from.rows;
    part.cols = from.cols;
    DF_TRY(
        df_cuda_zero(&context->backend, to.data, (size_t)to.rows * (size_t)to.ld * df_dtype_size(to.type)));
    return DF_LAUNCH_ON(&context->backend, convert, part, from);
}

/* The depth, and the rows of a and b, padded with zeros. */
static int run_padded(struct df_cuda_context *context, const struct df_gemm *gemm)
{
    const enum df_dtype type = gemm->a.type;
    struct df_gemm with = *gemm;

    with.a.cols = with.a.ld = padded(gemm->a.cols, type);
    if (gemm->transpose_b)
        with.b.cols = with.a.cols;
    else
        with.b.rows = with.a.cols;
    with.b.ld = padded(with.b.cols, type);
    const size_t a_bytes = df_cuda_aligned((size_t)with.a.rows * (size_t)with.a.ld * df_dtype_size(type));
    const size_t b_bytes = (size_t)with.b.rows * (size_t)with.b.ld * df_dtype_size(type);
    char *buffer = df_cuda_buffer_grow(&context->backend, &context->gemms->buffers.padded, a_bytes + b_bytes);
    if (!buffer)
        return -1;
    with.a.data = buffer;
    with.b.data = buffer + a_bytes;
    DF_TRY(copy_padded(context, gemm->a, with.a));
    DF_TRY(copy_padded(context, gemm->b, with.b));
    DF_TRY(df_gemm_run(context, &with));
    note(context, "padded");
    return 0;
}

static bool is_bare(const struct df_gemm *gemm)
{
    return !gemm->bias && gemm->c.type == DF_F32 && (!gemm->residual || gemm->residual == gemm->c.data);
}

/* The bias as float32, at `to` where it is not. */
static int add_bias(struct df_cuda_context *context, struct df_matrix sums, enum df_dtype type,
                    const void *bias, float *to)
{
    if (type != DF_F32)
        DF_TRY(df_cuda_convert(&context->backend, bias, type, to, DF_F32, sums.cols));
    return df_cuda_add_bias(&context->backend, sums, type == DF_F32 ? bias : to);
}

/* The product alone, added in float32 to the residual where there is one; then the bias; then rounded. */
static int run_bare(struct df_cuda_context *context, const struct df_gemm *gemm)
{
    const struct df_matrix *c = &gemm->c;
    struct df_matrix sums = *c, residual = *c;
    struct df_gemm bare = *gemm;
    float *bias = NULL;

    if (c->type != DF_F32) {
        const size_t bias_bytes = df_cuda_aligned((size_t)c->cols * sizeof *bias);
        sums.type = DF_F32;
        sums.ld = padded(c->cols, DF_F32);
        char *buffer = df_cuda_buffer_grow(&context->backend, &context->gemms->buffers.sums,
                                           bias_bytes + (size_t)sums.rows * (size_t)sums.ld * sizeof(float));
        if (!buffer)
            return -1;
        bias = (float *)(void *)buffer;
        sums.data = buffer + bias_bytes;
    }
    residual.data = (void *)(uintptr_t)gemm->residual; /* is read only */
    if (gemm->residual && gemm->residual != sums.data)
        DF_TRY(DF_LAUNCH_ON(&context->backend, convert, sums, residual));
    bare.c = sums;
    bare.bias = NULL;
    bare.residual = gemm->residual ? sums.data : NULL;
    DF_TRY(df_gemm_run(context, &bare));
    note(context, "additions apart");
    if (gemm->bias)
        DF_TRY(add_bias(context, sums, c->type, gemm->bias, bias));
    return sums.data == c->data ? 0 : DF_LAUNCH_ON(&context->backend, convert, *c, sums);
}

static int run_own(struct df_cuda_context *context, const struct df_gemm *gemm)
{
    const size_t bytes = df_launch_matmul_scratch(gemm->a, false, gemm->b, gemm->transpose_b, gemm->c);
    void *partial = df_cuda_buffer_grow(&context->backend, &context->gemms->buffers.partial, bytes);

    if (!partial)
        return -1;
    df_cuda_note_algorithm(&context->backend, DF_OWN_KERNEL);
    return DF_LAUNCH_ON(&context->backend, matmul, gemm->a, false, gemm->b, gemm->transpose_b, gemm->c,
                        gemm->residual != NULL, partial);
}

int df_gemm_run(struct df_cuda_context *context, const struct df_gemm *gemm)
{
    const int done = df_gemm_try(context, gemm);

    if (done != 0)
        return done > 0 ? 0 : -1;
    if (!is_padded(gemm))
        return run_padded(context, gemm);
    if (!is_bare(gemm))
        return run_bare(context, gemm);
    return run_own(context, gemm);
}
