#include "cpu_backend.h"

#include "dinoft/error.h"

#include <assert.h>
#include <oneapi/dnnl/dnnl.h>

/* Weights that change every step are not worth packing: plain sgemm. Measured against matrix-product
 * primitives on strided descriptors (oneDNN 2.6, 2 cores, 2452 rows, 384 channels, rank 3): x A^T 195 against
 * 135 us, qkv += t B^T 54 against 94, dB 202 : 197, dt 191 : 196, dA 52 : 55, dx += 73 : 80; the decoder's
 * three for 21 classes 665 : 644. The sums are the same, and sgemm needs no primitive for each shape. */
int df_cpu_matmul(struct df_backend *backend, struct df_matrix a, bool transpose_a, struct df_matrix b,
                  bool transpose_b, struct df_matrix c, bool accumulate)
{
    const int64_t inner = transpose_a ? a.rows : a.cols;

    (void)backend;
    assert(a.type == DF_F32 && b.type == DF_F32 && c.type == DF_F32);
    assert((transpose_a ? a.cols : a.rows) == c.rows && (transpose_b ? b.rows : b.cols) == c.cols);
    assert((transpose_b ? b.cols : b.rows) == inner && inner > 0);
    assert(a.ld >= a.cols && b.ld >= b.cols && c.ld >= c.cols);
    if (c.rows == 0 || c.cols == 0)
        return 0;
    dnnl_status_t status =
        dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', c.rows, c.cols, inner, 1.0f, a.data,
                   a.ld, b.data, b.ld, accumulate ? 1.0f : 0.0f, c.data, c.ld);
    if (status != dnnl_success)
        return df_error_set("oneDNN: sgemm [%lld, %lld] x [%lld, %lld] failed with status %d",
                            (long long)c.rows, (long long)inner, (long long)inner, (long long)c.cols,
                            (int)status);
    return 0;
}
