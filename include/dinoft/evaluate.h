/* Measuring a model on a data set. */
#ifndef DINOFT_EVALUATE_H
#define DINOFT_EVALUATE_H

#include "dinoft/feed.h"
#include "dinoft/metrics.h"

#include <signal.h>

/* Runs the feed's first epoch through the model and counts into metrics. `original`: at each label's own
 * size (of images whose loader hands out original masks), otherwise at the network's input size. label: the
 * progress bar's. *stop (NULL: never) ends it early after the current batch. */
int df_evaluate(struct df_segmenter *segmenter, struct df_feed *feed, bool original, const char *label,
                const volatile sig_atomic_t *stop, struct df_metrics *metrics);

#endif
