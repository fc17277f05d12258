/* Whether two implementations computed the same numbers, but for rounding. Private to src/backend/cuda. */
#ifndef DINOFT_CUDA_NUMERIC_CHECK_H
#define DINOFT_CUDA_NUMERIC_CHECK_H

#include "dinoft/backend.h"

/* Waits for the device and compares two arrays on it, of DF_F32 or DF_BF16. Each of `other` may lie as far
 * from its value in `own` as tolerance times that value's size and the root mean square of those around it.
 * False if one does not, if there is a NaN or an infinity in either, or if the arrays could not be fetched.
 */
bool df_cuda_is_close(struct df_backend *backend, enum df_dtype type, const void *own, const void *other,
                      size_t count, float tolerance);

#endif
