#include "best.h"

#include <math.h>

struct df_best_so_far df_best_none(void)
{
    return (struct df_best_so_far){.score = NAN, .epoch = -1};
}

bool df_best_judge(struct df_best_so_far *best, enum df_best_metric metric, int64_t epoch, double score)
{
    const bool first = best->epoch < 0 && !isnan(score);

    if (first || df_best_is_better(metric, score, best->score)) {
        *best = (struct df_best_so_far){.score = score, .epoch = epoch};
        return true;
    }
    best->since++;
    return false;
}
