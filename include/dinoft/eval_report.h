/* An evaluation as a page to read: scores, classes, confusion matrix, images. */
#ifndef DINOFT_EVAL_REPORT_H
#define DINOFT_EVAL_REPORT_H

#include "dinoft/best_worst.h"
#include "dinoft/facts.h"
#include "dinoft/image_scores.h"
#include "dinoft/metrics.h"

struct df_eval_report {
    const char *title;           /* "voc_lora on Pascal VOC" */
    const struct df_fact *facts; /* [n_facts], shown as they are: checkpoint, backbone, data set, images,
                                    sizes, how images are resized, slid over or augmented, precision, … */
    size_t n_facts;
    const struct df_metrics *metrics;          /* of the whole set */
    char *const *names;                        /* [metrics->n_classes] */
    const struct df_interval *interval;        /* of the mIoU; NULL: none */
    const struct df_image_scores_list *images; /* in any order; NULL: no histogram */
    const struct df_best_worst *best_worst;    /* NULL: no pictures */
};

/* Writes the page atomically: one HTML file with everything inside, pictures too. The same input gives the
 * same bytes. */
int df_eval_report_write(const char *path, const struct df_eval_report *report);

#endif
