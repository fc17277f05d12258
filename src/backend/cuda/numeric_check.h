/* Whether two implementations' results are equal up to rounding. Private to src/backend/cuda. */
#ifndef DINOFT_CUDA_NUMERIC_CHECK_H
#define DINOFT_CUDA_NUMERIC_CHECK_H

#include "dinoft/backend.h"

#define DF_NUMERIC_PARTS_MAX 3

/* Which numbers of an array are of one kind: `length` of each of `parts` kinds in turn, again and again. */
struct df_interleaved {
    size_t parts, length;
};

#define DF_ONE_KIND ((struct df_interleaved){1, (size_t)-1})

/* Waits for the device and compares two arrays on it, of DF_F32 or DF_BF16. Each of `other` may differ from
 * its `reference` by tolerance times the sum of that value's magnitude and the root mean square of those of
 * its kind around it. False if one differs more, if there is a NaN or an infinity in either, or if the arrays
 * could not be downloaded. */
bool df_cuda_is_close(struct df_backend *backend, enum df_dtype type, const void *reference,
                      const void *other, size_t count, struct df_interleaved kinds, float tolerance);

#endif
