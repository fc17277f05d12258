/* What eval and corrupt share: from their flags to a measurement. */
#ifndef DINOFT_MEASURING_H
#define DINOFT_MEASURING_H

#include "dinoft/config.h"
#include "dinoft/measure.h"

/* Opens the checkpoint, the backbone and the data set, and checks that they fit; config gets what the
 * checkpoint says where nothing is typed. -1 with the error set; df_measure_close() it in either case. The
 * model is made by df_measure_start(), so that outputs can be checked before. */
int measuring_open(struct df_measure *measure, struct df_config *config);

/* How images go through the model of a checkpoint, by --resize, --slide, --tta and --scales: for whoever
 * measures it or predicts by it. -1 with the error set. */
int measuring_views(const struct df_config *config, const struct df_setup *setup,
                    struct df_inference_options *how);

#endif
