/* Memory of the emulated device for tests that call kernels' launchers themselves. What was allocated is
 * freed by release_arrays(), which every test ends with. */
#ifndef TESTS_EMULATION_DEVICE_ARRAYS_H
#define TESTS_EMULATION_DEVICE_ARRAYS_H

#include "dinoft/dtype.h"

#include <stddef.h>
#include <stdint.h>

/* A host array of normally distributed values that `type` holds exactly. */
float *host_normals(int64_t count, enum df_dtype type, double mean, double deviation, uint64_t seed);

/* A device array: a copy of values, converted. */
void *put_values(const float *values, int64_t count, enum df_dtype type);

/* What a device array holds. */
void *get_bytes(const void *device, size_t count);

void release_arrays(void);

/* Fails unless the launcher enqueued its kernels and they ran. */
void assert_ran(int cuda_error);

#endif
