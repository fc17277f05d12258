/* What to try where a model's memory is not to be had. */
#ifndef DINOFT_BATCH_HINT_H
#define DINOFT_BATCH_HINT_H

#include "dinoft/backend.h"

/* What a model would take for batches of so many images, found without taking it. -1 with the error set. */
typedef int df_planned_bytes(const void *context, int64_t batch, size_t *bytes);

/* Adds to the error text which batch below `most` would fit into what the device has free now, if that is
 * known. Always returns -1. */
int df_batch_hint(struct df_backend *backend, int64_t most, df_planned_bytes *plan, const void *context);

#endif
