#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

int df_cuda_normalize_rows(struct df_backend *backend, const float *x, int64_t rows, int64_t columns,
                           float *y)
{
    assert(columns <= INT32_MAX);
    return DF_LAUNCH_ON(backend, normalize_rows, x, rows, columns, y);
}
