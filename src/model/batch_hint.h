/* What to try where a model's memory is not to be had. */
#ifndef DINOFT_BATCH_HINT_H
#define DINOFT_BATCH_HINT_H

#include "dinoft/segmenter.h"

/* Adds to the error text which batch size would fit into what the device has free now, if that is known.
 * Always returns -1. */
int df_batch_hint(struct df_backend *backend, const struct df_vit_config *config,
                  const struct df_segmenter_options *options);

#endif
