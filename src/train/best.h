/* Which of a run's validations was the best one so far. */
#ifndef DINOFT_TRAIN_BEST_H
#define DINOFT_TRAIN_BEST_H

#include "dinoft/best_score.h"

struct df_best_so_far {
    double score;  /* the metric's, of that validation */
    int64_t epoch; /* from 0 on; -1: none has had a number yet */
    int64_t since; /* validations behind it, or all where there is none */
};

/* Before the first validation. */
struct df_best_so_far df_best_none(void);

/* The next validation, in the order of epochs. True: it is the best one now. Of equal ones the first stays,
 * and what is not a number is never better. */
bool df_best_judge(struct df_best_so_far *best, enum df_best_metric metric, int64_t epoch, double score);

#endif
