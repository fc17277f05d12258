#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

int df_cuda_rope_tables(struct df_backend *backend, const float *periods, const float *rescale, int64_t count,
                        int64_t h, int64_t w, int64_t head_size, float *tables)
{
    return DF_LAUNCH_ON(backend, rope_tables, periods, rescale, count, h, w, head_size, tables);
}
