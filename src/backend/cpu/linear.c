#include "cpu_backend.h"

#include "cpu_context.h"
#include "rows.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A weight in the layout that the library prefers for one direction. The layout was chosen for usual_rows
 * rows; other row counts run on it as it is (measured: oneDNN 2.6 and 3.2 choose the same for every row
 * count). */
struct packed_weight {
    struct df_layout layout;
    void *data;
};

struct df_linear {
    int64_t out, in, usual_rows;
    struct packed_weight forward;  /* [in, out] */
    struct packed_weight backward; /* [out, in]; without data when not asked for */
    float *bias;                   /* [out] or NULL */
};

/* A product whose weight has the layout that the library prefers. */
static struct df_primitive *packing_gemm(struct df_backend *backend, int64_t in, int64_t out, int64_t rows)
{
    const struct df_gemm gemm = {
        .a = {NULL, backend->compute, rows, in, in},
        .b = {NULL, backend->compute, in, out, out},
        .c = {NULL, backend->compute, rows, out, out},
    };
    return df_primitive_gemm(&df_cpu_context(backend)->onednn, &gemm, NULL);
}

/* weight: [in, out] of the product, element (i, o) at i * in_stride + o * out_stride. */
static int pack_weight(struct df_backend *backend, struct packed_weight *packed, const float *weight,
                       int64_t in, int64_t out, int64_t in_stride, int64_t out_stride, int64_t rows)
{
    struct df_onednn *onednn = &df_cpu_context(backend)->onednn;
    struct df_primitive *gemm = packing_gemm(backend, in, out, rows), *reorder = NULL;
    struct df_layout plain = {0};
    int status = -1;

    if (!gemm ||
        df_layout_strided(&plain, 2, (dnnl_dims_t){in, out}, (dnnl_dims_t){in_stride, out_stride}, DF_F32))
        goto done;
    reorder = df_primitive_reorder(onednn, &plain, &gemm->weights);
    packed->data = df_cpu_alloc(backend, gemm->weights.bytes);
    if (!reorder || !packed->data)
        goto done;
    void *scratchpad = df_cpu_scratch(backend, reorder->scratchpad_bytes);
    if (!scratchpad)
        goto done;
    void *const data[DF_SLOT_COUNT] = {
        [DF_SLOT_SOURCE] = (void *)weight, [DF_SLOT_DESTINATION] = packed->data};
    status = df_primitive_run(onednn, reorder, data, scratchpad);
    packed->layout = gemm->weights;
    memset(&gemm->weights, 0, sizeof gemm->weights); /* it has moved */
done:
    df_primitive_free(gemm);
    df_primitive_free(reorder);
    df_layout_free(&plain);
    return status;
}

struct df_linear *df_cpu_linear_create(struct df_backend *backend, const float *weight, const float *bias,
                                       int64_t out, int64_t in, int64_t usual_rows, bool backward)
{
    struct df_linear *linear = calloc(1, sizeof *linear);
    size_t bias_bytes = (size_t)out * sizeof(float);

    assert(out > 0 && in > 0 && usual_rows > 0);
    if (!linear) {
        df_error_memory("a linear layer", sizeof *linear);
        return NULL;
    }
    linear->out = out;
    linear->in = in;
    linear->usual_rows = usual_rows;
    if (pack_weight(backend, &linear->forward, weight, in, out, 1, in, usual_rows) != 0)
        goto failed;
    if (backward && pack_weight(backend, &linear->backward, weight, out, in, in, 1, usual_rows) != 0)
        goto failed;
    if (bias) {
        linear->bias = df_cpu_alloc(backend, bias_bytes);
        if (!linear->bias)
            goto failed;
        memcpy(linear->bias, bias, bias_bytes);
    }
    return linear;
failed:
    df_error_context("a linear layer [%lld, %lld]", (long long)out, (long long)in);
    df_cpu_linear_free(backend, linear);
    return NULL;
}

void df_cpu_linear_free(struct df_backend *backend, struct df_linear *linear)
{
    if (!linear)
        return;
    df_layout_free(&linear->forward.layout);
    df_layout_free(&linear->backward.layout);
    df_cpu_free(backend, linear->forward.data);
    df_cpu_free(backend, linear->backward.data);
    df_cpu_free(backend, linear->bias);
    free(linear);
}

int df_cpu_linear_bytes(struct df_backend *backend, int64_t out, int64_t in, int64_t usual_rows,
                        bool backward, size_t *bytes)
{
    struct df_primitive *gemm = packing_gemm(backend, backward ? out : in, backward ? in : out, usual_rows);

    if (!gemm)
        return -1;
    *bytes = gemm->weights.bytes;
    df_primitive_free(gemm);
    return 0;
}

/* NULL with the error set. usual_rows stands for the weight's layout in the key: it was chosen from that and
 * the shape. */
static struct df_primitive *find_primitive(struct df_backend *backend, const struct packed_weight *weight,
                                           int64_t usual_rows, const struct df_gemm *gemm)
{
    struct df_cpu_context *context = df_cpu_context(backend);
    const struct df_primitive_key key = {
        DF_KIND_LINEAR,
        {usual_rows, gemm->a.rows, gemm->a.cols, gemm->c.cols, gemm->a.type, gemm->c.type, gemm->bias != NULL,
         gemm->residual != NULL},
    };
    struct df_primitive *primitive = df_primitive_cache_find(&context->cache, &key);

    if (primitive)
        return primitive;
    return df_primitive_cache_add(&context->cache, &key,
                                  df_primitive_gemm(&context->onednn, gemm, &weight->layout));
}

static bool is_dense(const struct df_matrix *m)
{
    return m->ld == m->cols || m->rows == 1;
}

static size_t dense_bytes(const struct df_matrix *m)
{
    return (size_t)m->rows * (size_t)m->cols * df_dtype_size(m->type);
}

static int copy_residual(struct df_backend *backend, const struct df_matrix *to, const struct df_matrix *from)
{
    if (is_dense(from))
        return df_cpu_copy(backend, to->data, from->data, dense_bytes(from));
    df_matrix_copy(backend, to, from);
    return 0;
}

/* y = x weight + bias + residual (NULL: none). The library needs x dense and of the compute type and y dense:
 * what is not is copied through the scratch buffer. */
static int run_gemm(struct df_backend *backend, const struct packed_weight *weight, const float *bias,
                    int64_t usual_rows, struct df_matrix x, struct df_matrix y, const void *residual)
{
    struct df_gemm gemm = {
        .a = {x.data, backend->compute, x.rows, x.cols, x.cols},
        .b = {weight->data, backend->compute, x.cols, y.cols, y.cols},
        .c = {y.data, y.type, y.rows, y.cols, y.cols},
        .bias = bias,
        .residual = residual,
    };
    const struct df_matrix added = {(void *)residual, y.type, y.rows, y.cols, y.ld};

    assert(x.type == backend->compute || x.type == DF_F32);
    assert(y.type == backend->compute || y.type == DF_F32);
    assert(x.rows == y.rows && x.ld >= x.cols && y.ld >= y.cols);
    if (x.rows == 0)
        return 0;
    struct df_primitive *primitive = find_primitive(backend, weight, usual_rows, &gemm);
    if (!primitive)
        return -1;
    const bool copy_x = x.type != backend->compute || !is_dense(&x), copy_y = !is_dense(&y);
    const size_t x_bytes = copy_x ? df_cpu_aligned(dense_bytes(&gemm.a)) : 0;
    const size_t y_bytes = copy_y ? df_cpu_aligned(dense_bytes(&gemm.c)) : 0;
    char *scratch = df_cpu_scratch(backend, x_bytes + y_bytes + primitive->scratchpad_bytes);
    if (!scratch)
        return -1;
    if (copy_x) {
        gemm.a.data = scratch;
        df_matrix_copy(backend, &gemm.a, &x);
    }
    if (copy_y)
        gemm.c.data = scratch + x_bytes;
    if (residual && residual != gemm.c.data) /* the library accumulates */
        DF_TRY(copy_residual(backend, &gemm.c, &added));
    void *const data[DF_SLOT_COUNT] = {
        [DF_SLOT_SOURCE] = gemm.a.data,
        [DF_SLOT_WEIGHTS] = gemm.b.data,
        [DF_SLOT_DESTINATION] = gemm.c.data,
        [DF_SLOT_BIAS] = (void *)bias,
    };
    DF_TRY(df_primitive_run(&df_cpu_context(backend)->onednn, primitive, data, scratch + x_bytes + y_bytes));
    if (copy_y)
        df_matrix_copy(backend, &y, &gemm.c);
    return 0;
}

int df_cpu_linear_forward(struct df_backend *backend, const struct df_linear *linear, struct df_matrix x,
                          struct df_matrix y, const void *residual)
{
    assert(x.cols == linear->in && y.cols == linear->out);
    return run_gemm(backend, &linear->forward, linear->bias, linear->usual_rows, x, y, residual);
}

int df_cpu_linear_backward(struct df_backend *backend, const struct df_linear *linear, struct df_matrix dy,
                           struct df_matrix dx, bool accumulate)
{
    assert(linear->backward.data && dy.cols == linear->out && dx.cols == linear->in);
    return run_gemm(backend, &linear->backward, NULL, linear->usual_rows, dy, dx,
                    accumulate ? dx.data : NULL);
}
