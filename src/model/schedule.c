#include "dinoft/schedule.h"

#include <math.h>

#define POLY_POWER 0.9 /* as DeepLab and mmsegmentation have it */

/* PyTorch's defaults of OneCycleLR. */
#define RISING_SHARE  0.3
#define START_DIVISOR 25.0
#define END_DIVISOR   1e4 /* of what it starts with */

static const double pi = 3.14159265358979323846;

/* From `first` at share 0 to `last` at 1 along half a cosine. */
static double cosine(double first, double last, double share)
{
    return last + (first - last) * (1.0 + cos(pi * share)) / 2.0;
}

/* The peak lies a step before the share of the run that rises, which is before the first of a short run. */
static double onecycle(double lr, int64_t length, double at)
{
    const double start = lr / START_DIVISOR, peak = RISING_SHARE * (double)length - 1.0;

    if (at <= peak)
        return cosine(start, lr, at / peak);
    return cosine(lr, start / END_DIVISOR, (at - peak) / ((double)length - 1.0 - peak));
}

double df_schedule_lr(const struct df_schedule *schedule, int64_t at)
{
    const double lr = schedule->lr, min_lr = schedule->min_lr;

    if (at < schedule->warmup)
        return lr * ((double)(at + 1) / (double)schedule->warmup);
    const double share = (double)(at - schedule->warmup) / (double)(schedule->length - schedule->warmup);
    switch (schedule->kind) {
    case DF_SCHEDULE_CONSTANT:
        break;
    case DF_SCHEDULE_COSINE:
        return cosine(lr, min_lr, share);
    case DF_SCHEDULE_POLY:
        return min_lr + (lr - min_lr) * pow(1.0 - share, POLY_POWER);
    case DF_SCHEDULE_ONECYCLE:
        return onecycle(lr, schedule->length, (double)at);
    }
    return lr;
}
