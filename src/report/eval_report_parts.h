/* The sections of an evaluation's page. Each returns -1 when out of memory. */
#ifndef DINOFT_REPORT_EVAL_REPORT_PARTS_H
#define DINOFT_REPORT_EVAL_REPORT_PARTS_H
#include "html.h"

#include "dinoft/eval_report.h"

#include <stdio.h>

/* The table of classes, their bars, the confusion matrix. */
int eval_report_classes(FILE *page, const struct df_eval_report *report);

/* The pairs of classes that are confused most. */
void eval_report_confusions(FILE *page, const struct df_eval_report *report);

/* Confidence and accuracy, of metrics with details. */
void eval_report_calibration(FILE *page, const struct df_eval_report *report);

/* How the images' mIoU is spread; the worst and the best of them. */
int eval_report_images(FILE *page, const struct df_eval_report *report);

#endif
