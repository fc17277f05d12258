/* Which classes a model takes for which others. */
#ifndef DINOFT_CONFUSIONS_H
#define DINOFT_CONFUSIONS_H

#include "dinoft/metrics.h"

struct df_confusion {
    int label, prediction; /* which differ */
    int64_t pixels;
    double share; /* of the pixels with that label */
};

/* The most frequent ones, those of most pixels first and equal ones in the order of their classes; at most
 * `most`, which is at most DF_CONFUSIONS_MOST. Returns how many there are. */
#define DF_CONFUSIONS_MOST 20
int df_confusions_rank(const struct df_metrics *metrics, int most, struct df_confusion *ranked);

#endif
