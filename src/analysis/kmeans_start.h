/* Where k-means begins. Private to src/analysis. */
#ifndef DINOFT_KMEANS_START_H
#define DINOFT_KMEANS_START_H

#include "dinoft/rng.h"

#include <stdint.h>

/* Chooses `count` of the rows [n_rows, dim] as centers [count, dim]: the first by chance, each other one with
 * a probability that is proportional to the squared distance from the nearest one so far; of a few so drawn
 * the one that leaves the least sum of these. -1 with the error set if the rows are the same as fewer
 * centres. */
int df_kmeans_start(const float *rows, int64_t n_rows, int64_t dim, int count, struct df_rng *rng,
                    float *centers);

#endif
