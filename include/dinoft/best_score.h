/* The number that says which of a run's validations is the best one. */
#ifndef DINOFT_BEST_SCORE_H
#define DINOFT_BEST_SCORE_H

#include "dinoft/best_metric.h"
#include "dinoft/metrics.h"

/* "mIoU" */
const char *df_best_metric_title(enum df_best_metric metric);

double df_best_score(enum df_best_metric metric, const struct df_scores *scores);

/* False where one of the two is not a number. */
bool df_best_is_better(enum df_best_metric metric, double score, double than);

/* For people: "45.30 %", and a loss as it is. Returns text. */
#define DF_BEST_SCORE_TEXT 32
const char *df_best_score_text(enum df_best_metric metric, double score, char text[DF_BEST_SCORE_TEXT]);

#endif
