#include "dinoft/best_score.h"

#include <math.h>
#include <stdio.h>

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

const char *df_best_score_text(enum df_best_metric metric, double score, char text[DF_BEST_SCORE_TEXT])
{
    if (metric == DF_BEST_LOSS || isnan(score))
        snprintf(text, DF_BEST_SCORE_TEXT, "%.4f", isnan(score) ? fabs(score) : score); /* never "-nan" */
    else
        snprintf(text, DF_BEST_SCORE_TEXT, "%.2f %%", 100.0 * score);
    return text;
}

bool df_best_is_better(enum df_best_metric metric, double score, double than)
{
    return metric == DF_BEST_LOSS ? score < than : score > than;
}
