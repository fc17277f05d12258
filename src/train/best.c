#include "best.h"

#include <math.h>

struct df_best_so_far df_best_none(void)
{
    return (struct df_best_so_far){.score = NAN, .epoch = -1};
}

const char *df_best_metric_title(enum df_best_metric metric)
{
    static const char *const titles[] = {[DF_BEST_MIOU] = "mIoU",
                                         [DF_BEST_LOSS] = "validation loss",
                                         [DF_BEST_PIXEL_ACCURACY] = "pixel accuracy",
                                         [DF_BEST_REFERENCE_MIOU] = "reference mIoU"};
    return titles[metric];
}

double df_best_score(enum df_best_metric metric, const struct df_scores *scores)
{
    switch (metric) {
    case DF_BEST_MIOU:
        break;
    case DF_BEST_LOSS:
        return scores->loss;
    case DF_BEST_PIXEL_ACCURACY:
        return scores->pixel_accuracy;
    case DF_BEST_REFERENCE_MIOU:
        return scores->reference_miou;
    }
    return scores->miou;
}

bool df_best_judge(struct df_best_so_far *best, enum df_best_metric metric, int64_t epoch, double score)
{
    const bool first = best->epoch < 0 && !isnan(score);

    if (first || (metric == DF_BEST_LOSS ? score < best->score : score > best->score)) {
        *best = (struct df_best_so_far){.score = score, .epoch = epoch};
        return true;
    }
    best->since++;
    return false;
}
