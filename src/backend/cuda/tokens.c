#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include <assert.h>

int df_cuda_assemble_tokens(struct df_backend *backend, const float *patches, const float *prefix,
                            const float *pos, float *x, struct df_token_rows rows, int64_t dim)
{
    assert(rows.first == rows.tokens - rows.rows); /* the chosen rows are the patches */
    if (rows.batch * rows.tokens == 0)
        return 0;
    return DF_LAUNCH_ON(backend, assemble_tokens, patches, prefix, pos, x, rows, dim);
}
