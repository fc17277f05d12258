#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <assert.h>

int df_cuda_op_column_sum(struct df_backend *backend, struct df_matrix x, float *out)
{
    assert(x.type == DF_F32 || x.type == DF_BF16);
    if (x.cols == 0)
        return 0;
    if (x.rows == 0)
        return df_cuda_op_zero(backend, out, (size_t)x.cols * sizeof *out);
    void *scratch = df_cuda_scratch(backend, df_cuda_column_sum_scratch(x));
    if (!scratch)
        return -1;
    return DF_CUDA(df_cuda_column_sum(df_cuda_context(backend)->stream, x, out, scratch));
}

int df_cuda_op_add_bias(struct df_backend *backend, struct df_matrix x, const float *bias)
{
    assert(x.type == DF_F32);
    if (x.rows * x.cols == 0)
        return 0;
    return DF_CUDA(df_cuda_add_bias(df_cuda_context(backend)->stream, x, bias));
}

int df_cuda_op_image_normalize(struct df_backend *backend, const uint8_t *pixels, float *image, int64_t batch,
                               int64_t height, int64_t width, const float mean[3], const float std[3])
{
    if (batch * height * width == 0)
        return 0;
    return DF_CUDA(df_cuda_image_normalize(df_cuda_context(backend)->stream, pixels, image, batch, height,
                                           width, mean, std));
}

int df_cuda_op_patchify(struct df_backend *backend, const float *image, void *patches, int64_t batch,
                        int64_t height, int64_t width, int64_t patch)
{
    assert(height % patch == 0 && width % patch == 0);
    if (batch * height * width == 0)
        return 0;
    return DF_CUDA(df_cuda_patchify(df_cuda_context(backend)->stream, image, patches, backend->compute, batch,
                                    height, width, patch));
}

int df_cuda_op_assemble_tokens(struct df_backend *backend, const float *patches, const float *prefix,
                               const float *pos, float *x, struct df_token_rows rows, int64_t dim)
{
    assert(rows.first == rows.tokens - rows.rows); /* the chosen rows are the patches */
    if (rows.batch * rows.tokens == 0)
        return 0;
    return DF_CUDA(
        df_cuda_assemble_tokens(df_cuda_context(backend)->stream, patches, prefix, pos, x, rows, dim));
}

static bool is_converted(enum df_dtype type)
{
    return type == DF_F32 || type == DF_BF16;
}

int df_cuda_op_convert(struct df_backend *backend, const void *source, enum df_dtype from, void *destination,
                       enum df_dtype to, int64_t count)
{
    if (!is_converted(from) || !is_converted(to))
        return df_error_set("cannot convert %s to %s: the cuda backend knows float32 and bfloat16",
                            df_dtype_name(from), df_dtype_name(to));
    if (count == 0)
        return 0;
    return DF_CUDA(df_cuda_convert(df_cuda_context(backend)->stream,
                                   (struct df_matrix){destination, to, 1, count, count},
                                   (struct df_matrix){(void *)source, from, 1, count, count}));
}
