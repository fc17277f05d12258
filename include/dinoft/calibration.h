/* Whether a model is as sure as it is right: expected calibration error over equal bins of the pixels'
 * largest probability, as C. Guo et al. have it ("On Calibration of Modern Neural Networks", 2017). */
#ifndef DINOFT_CALIBRATION_H
#define DINOFT_CALIBRATION_H

#include "dinoft/backend.h"

/* Of a bin; NaN without pixels. */
double df_calibration_accuracy(const struct df_calibration_bin *bin);
double df_calibration_confidence(const struct df_calibration_bin *bin);

/* The mean of |accuracy - confidence| of the bins [DF_CALIBRATION_BINS], each weighing as many pixels as it
 * has; NaN without any. */
double df_calibration_error(const struct df_calibration_bin *bins);

/* sum [DF_CALIBRATION_BINS] += bins. */
void df_calibration_add(struct df_calibration_bin *sum, const struct df_calibration_bin *bins);

#endif
