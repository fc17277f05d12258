/* Weights of filters, rounded as NumPy rounds them. */
#ifndef DINOFT_CORRUPTIONS_WEIGHTS_H
#define DINOFT_CORRUPTIONS_WEIGHTS_H

/* Divides weights by their sum. The sum is numpy.sum's to the last bit (eight partial sums, and halves of
 * what is longer than 128): it decides whether a flat area keeps its level when its filtered values are
 * truncated. */
void normalise_weights(double *weights, int count);

#endif
