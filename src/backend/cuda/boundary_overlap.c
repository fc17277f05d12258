#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <assert.h>

int df_cuda_boundary_overlap(struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels,
                             int64_t height, int64_t width, int64_t classes, int64_t reach, int64_t *overlap)
{
    assert(classes >= 1 && classes <= DF_MAX_CLASSES && reach >= 1 && reach <= DF_BOUNDARY_REACH_MAX);
    DF_TRY(df_cuda_zero(backend, overlap, (size_t)(3 * classes) * sizeof *overlap));
    uint8_t *scratch = df_cuda_scratch(backend, (size_t)(height * width));
    if (!scratch)
        return -1;
    return DF_LAUNCH_ON(backend, boundary_overlap, prediction, labels, height, width, classes, reach, scratch,
                        overlap);
}
