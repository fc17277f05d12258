/* The learning rate of a run, step after step or epoch after epoch. */
#ifndef DINOFT_SCHEDULE_H
#define DINOFT_SCHEDULE_H

#include "dinoft/choice.h"

#include <stdbool.h>
#include <stdint.h>

#define DF_SCHEDULES(X)                                                                                      \
    X(DF_SCHEDULE_CONSTANT, "constant")                                                                      \
    X(DF_SCHEDULE_COSINE, "cosine") X(DF_SCHEDULE_POLY, "poly") X(DF_SCHEDULE_ONECYCLE, "onecycle")
enum df_schedule_kind { DF_SCHEDULES(DF_CHOICE_ID) };

struct df_schedule {
    enum df_schedule_kind kind;
    bool by_epoch;  /* length and warmup are epochs, and the rate changes after each; else steps */
    double lr;      /* the highest rate */
    double min_lr;  /* cosine and poly fall to it */
    int64_t length; /* of the whole run */
    int64_t warmup; /* how much of it rises linearly first; 0 for onecycle, which rises by itself */
};

static inline bool df_schedule_falls_to_min(enum df_schedule_kind kind)
{
    return kind == DF_SCHEDULE_COSINE || kind == DF_SCHEDULE_POLY;
}

/* The rate of the step or epoch `at`, 0 to length - 1. As PyTorch's SequentialLR of LambdaLR, whose factor is
 * (at + 1) / warmup, and CosineAnnealingLR or PolynomialLR (power 0.9) over the rest; as its OneCycleLR
 * without momentum. A warm-up may be as long as the run or longer: there is no rest then. */
double df_schedule_lr(const struct df_schedule *schedule, int64_t at);

#endif
