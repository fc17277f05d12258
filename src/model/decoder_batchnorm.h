/* PyTorch's BatchNorm2d in a decoder: its five tensors, and what the operations take. */
#ifndef DINOFT_DECODER_BATCHNORM_H
#define DINOFT_DECODER_BATCHNORM_H

#include "parameters.h"

/* Its tensors as they are added, each [channels] but for the last, a counter. */
enum df_norm_tensor {
    DF_NORM_WEIGHT,
    DF_NORM_BIAS,
    DF_NORM_MEAN, /* running_mean, running_var */
    DF_NORM_VARIANCE,
    DF_NORM_BATCHES, /* num_batches_tracked */
    DF_NORM_TENSORS
};

/* Appends PREFIX.weight and the others. -1 when out of memory. */
int df_batchnorm_add(struct df_parameters *parameters, const char *prefix, int64_t channels);

/* Over a map of `channels` of the norm's channels, from `first` on. own: its tensors. mean, rstd: [channels],
 * the batch's statistics, which the training forward pass leaves to the backward pass. */
struct df_batchnorm df_batchnorm_over(const struct df_parameter own[DF_NORM_TENSORS], int64_t first,
                                      int64_t channels, int64_t rows, float *mean, float *rstd);

#endif
