#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <assert.h>

int df_cuda_confusion_matrix(struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels,
                             int64_t count, int64_t classes, int64_t *matrix)
{
    assert(classes >= 1 && classes <= DF_MAX_CLASSES);
    DF_TRY(df_cuda_zero(backend, matrix, df_confusion_count(classes) * sizeof *matrix));
    return DF_LAUNCH_ON(backend, confusion_matrix, prediction, labels, count, classes, matrix);
}
