#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <assert.h>

int df_cuda_matmul(struct df_backend *backend, struct df_matrix a, bool transpose_a, struct df_matrix b,
                   bool transpose_b, struct df_matrix c, bool accumulate)
{
    const int64_t inner = transpose_a ? a.rows : a.cols;

    assert((transpose_a ? a.cols : a.rows) == c.rows && (transpose_b ? b.rows : b.cols) == c.cols);
    assert((transpose_b ? b.cols : b.rows) == inner && inner > 0);
    assert(a.ld >= a.cols && b.ld >= b.cols && c.ld >= c.cols);
    if (c.rows == 0 || c.cols == 0)
        return 0;
    void *scratch = df_cuda_scratch(backend, df_launch_matmul_scratch(a, transpose_a, b, transpose_b, c));
    if (!scratch)
        return -1;
    return DF_LAUNCH_ON(backend, matmul, a, transpose_a, b, transpose_b, c, accumulate, scratch);
}
