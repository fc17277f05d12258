/* What says which of a run's validations is the best one. */
#ifndef DINOFT_BEST_METRIC_H
#define DINOFT_BEST_METRIC_H

#include "dinoft/choice.h"

#define DF_BEST_METRICS(X)                                                                                   \
    X(DF_BEST_MIOU, "miou")                                                                                  \
    X(DF_BEST_LOSS, "loss")                                                                                  \
    X(DF_BEST_PIXEL_ACCURACY, "pixel_accuracy") X(DF_BEST_REFERENCE_MIOU, "reference_miou")
enum df_best_metric { DF_BEST_METRICS(DF_CHOICE_ID) };

#endif
