/* The most memory that was in use at a time so far. */
#ifndef DINOFT_PEAK_MEMORY_H
#define DINOFT_PEAK_MEMORY_H

#include "dinoft/backend.h"

/* Of the device where the backend counts it (*on_device), or else of the whole process. -1 with the error
 * set.
 */
int df_peak_memory(struct df_backend *backend, size_t *bytes, bool *on_device);

#endif
