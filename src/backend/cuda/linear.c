#include "cuda_backend.h"
#include "cuda_context.h"
#include "gemm.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Both directions read the one copy of the weight: the library transposes as it reads. The bias has to be of
 * the result's type, so it is kept in both. */
struct df_linear {
    int64_t out, in;
    void *weight;   /* [out, in] of the compute type */
    float *bias;    /* [out] or NULL */
    void *bias_act; /* the same in bfloat16; NULL as well where the compute type is float32 */
};

/* Device memory that holds the values in the compute type. NULL with the error set. */
static void *upload_act(struct df_backend *backend, const float *values, int64_t count)
{
    const enum df_dtype act = backend->compute;
    const int64_t most = (int64_t)(DF_CUDA_STAGE_BYTES / sizeof *values);
    char *to = df_cuda_alloc(backend, (size_t)count * df_dtype_size(act));
    float *wide = to ? df_cuda_scratch(backend, DF_CUDA_STAGE_BYTES) : NULL;

    if (!wide)
        goto failed;
    for (int64_t first = 0; first < count; first += most) {
        const int64_t part = df_min_i64(most, count - first);
        if (df_cuda_upload(backend, wide, values + first, (size_t)part * sizeof *values) != 0 ||
            df_cuda_convert(backend, wide, DF_F32, to + (size_t)first * df_dtype_size(act), act, part) != 0)
            goto failed;
    }
    return to;
failed:
    df_cuda_free(backend, to);
    return NULL;
}

static void *upload_wide(struct df_backend *backend, const float *values, int64_t count)
{
    void *to = df_cuda_alloc(backend, (size_t)count * sizeof *values);

    if (to && df_cuda_upload(backend, to, values, (size_t)count * sizeof *values) == 0)
        return to;
    df_cuda_free(backend, to);
    return NULL;
}

struct df_linear *df_cuda_linear_create(struct df_backend *backend, const float *weight, const float *bias,
                                        int64_t out, int64_t in, int64_t usual_rows, bool backward)
{
    const bool narrow = backend->compute != DF_F32;
    struct df_linear *linear = calloc(1, sizeof *linear);

    (void)usual_rows;
    (void)backward;
    assert(out > 0 && in > 0);
    if (!linear) {
        df_error_memory("a linear layer", sizeof *linear);
        return NULL;
    }
    linear->out = out;
    linear->in = in;
    linear->weight = narrow ? upload_act(backend, weight, out * in) : upload_wide(backend, weight, out * in);
    if (!linear->weight || (bias && !(linear->bias = upload_wide(backend, bias, out))) ||
        (bias && narrow && !(linear->bias_act = upload_act(backend, bias, out)))) {
        df_error_context("a linear layer [%lld, %lld]", (long long)out, (long long)in);
        df_cuda_linear_free(backend, linear);
        return NULL;
    }
    return linear;
}

void df_cuda_linear_free(struct df_backend *backend, struct df_linear *linear)
{
    if (!linear)
        return;
    df_cuda_free(backend, linear->weight);
    df_cuda_free(backend, linear->bias);
    df_cuda_free(backend, linear->bias_act);
    free(linear);
}

int df_cuda_linear_bytes(struct df_backend *backend, int64_t out, int64_t in, int64_t usual_rows,
                         bool backward, size_t *bytes)
{
    size_t count, forward;

    (void)usual_rows;
    if (!df_shape_count((const int64_t[]){out, in}, 2, &count) ||
        !df_size_mul(count, df_dtype_size(backend->compute), &forward))
        return df_error_set("a linear layer [%lld, %lld] is too large", (long long)out, (long long)in);
    *bytes = backward ? 0 : forward; /* the backward direction reads the same */
    return 0;
}

/* x itself, or its copy in the compute type. */
static int as_act(struct df_backend *backend, struct df_matrix x, struct df_matrix *act)
{
    *act = x;
    if (x.type == backend->compute)
        return 0;
    act->type = backend->compute;
    act->ld = x.cols;
    act->data = df_cuda_scratch(backend, (size_t)x.rows * (size_t)x.cols * df_dtype_size(act->type));
    if (!act->data)
        return -1;
    return DF_LAUNCH_ON(backend, convert, *act, x);
}

/* y = x op(weight) + bias + residual (NULL: none), of y's leading dimension. */
static int run_gemm(struct df_backend *backend, const struct df_linear *linear, bool backward,
                    struct df_matrix x, struct df_matrix y, const void *residual)
{
    const void *bias = y.type == DF_F32 ? linear->bias : linear->bias_act;
    struct df_gemm gemm = {
        .b = {linear->weight, backend->compute, linear->out, linear->in, linear->in},
        .c = y,
        .transpose_b = !backward,
        .bias = backward ? NULL : bias,
        .residual = residual,
    };

    assert(x.type == backend->compute || x.type == DF_F32);
    assert(y.type == backend->compute || y.type == DF_F32);
    assert(x.rows == y.rows && x.ld >= x.cols && y.ld >= y.cols);
    if (x.rows == 0)
        return 0;
    DF_TRY(as_act(backend, x, &gemm.a));
    return df_gemm_run(df_cuda_context(backend), &gemm);
}

int df_cuda_linear_forward(struct df_backend *backend, const struct df_linear *linear, struct df_matrix x,
                           struct df_matrix y, const void *residual)
{
    assert(x.cols == linear->in && y.cols == linear->out);
    return run_gemm(backend, linear, false, x, y, residual);
}

int df_cuda_linear_backward(struct df_backend *backend, const struct df_linear *linear, struct df_matrix dy,
                            struct df_matrix dx, bool accumulate)
{
    assert(dy.cols == linear->out && dx.cols == linear->in);
    return run_gemm(backend, linear, true, dy, dx, accumulate ? dx.data : NULL);
}
