/* What eval and corrupt share: from their flags to a measurement. */
#ifndef DINOFT_MEASURING_H
#define DINOFT_MEASURING_H

#include "dinoft/config.h"
#include "dinoft/measure.h"

/* Opens the checkpoint, the backbone and the data set, and checks that they fit; config gets what the
 * checkpoint says where nothing is typed. -1 with the error set; df_measure_close() it in either case. The
 * model is made by df_measure_start(), so that outputs can be checked before. */
int measuring_open(struct df_measure *measure, struct df_config *config);

/* --slide in whole patches; 0 where it is not typed. -1 with the error set. */
int measuring_window(const struct df_config *config, int64_t patch, int64_t *crop_in_patches,
                     int64_t *stride);

#endif
