#include "dinoft/comparison.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>

#define BOUNDARY_SHARE 0.02 /* of the diagonal */

int64_t df_boundary_reach(int64_t height, int64_t width)
{
    const double reach = rint(BOUNDARY_SHARE * hypot((double)height, (double)width));
    return df_min_i64(df_max_i64((int64_t)reach, 1), DF_BOUNDARY_REACH_MAX);
}

int df_comparison_add_details(struct df_backend *backend, const float *confidence, const uint8_t *prediction,
                              const uint8_t *labels, int64_t height, int64_t width, int64_t classes,
                              struct df_comparison *comparison)
{
    DF_TRY(backend->ops->calibration(backend, confidence, prediction, labels, height * width,
                                     comparison->calibration));
    return backend->ops->boundary_overlap(backend, prediction, labels, height, width, classes,
                                          df_boundary_reach(height, width),
                                          df_comparison_boundaries(comparison, classes));
}
