#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_dropout(struct df_backend *backend, const void *x, const struct df_dropout_draw *draw,
                    uint64_t stream, double probability, void *y, int64_t rows, int64_t cols)
{
    if (rows * cols == 0)
        return 0;
    return DF_LAUNCH_ON(backend, dropout, x, draw, stream, probability, y, backend->compute, rows, cols);
}
