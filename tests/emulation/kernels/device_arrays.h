/* Memory of the emulated device for tests that call kernels' launchers themselves. What was allocated is
 * freed by release_arrays(), which every test ends with. */
#ifndef TESTS_EMULATION_DEVICE_ARRAYS_H
#define TESTS_EMULATION_DEVICE_ARRAYS_H

#include "dinoft/dtype.h"

#include <stddef.h>
#include <stdint.h>

/* Host arrays: normally distributed values that `type` holds exactly; zeros. */
float *host_normals(int64_t count, enum df_dtype type, double mean, double deviation, uint64_t seed);
double *host_zeros(int64_t count);
double *host_doubles(const float *values, int64_t count);

/* Device arrays: a copy of values, converted; bytes as they are; uninitialised memory. */
void *put_values(const float *values, int64_t count, enum df_dtype type);
void *put_bytes(const void *bytes, size_t count);
void *device_room(size_t bytes);

/* What a device array holds, as float or as it is. */
float *get_values(const void *device, int64_t count, enum df_dtype type);
void *get_bytes(const void *device, size_t count);

void release_arrays(void);

/* |got - want| <= tolerance * max(1, |want|), and what rounding to `type` costs; else fails with the place.
 */
void assert_values(const char *what, const float *got, const double *want, int64_t count, enum df_dtype type,
                   double tolerance);

/* Fails unless the launcher enqueued its kernels and they ran. */
void assert_ran(int cuda_error);

#endif
