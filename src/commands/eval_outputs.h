/* The files that eval writes beside its table, each where a flag asks for it. */
#ifndef DINOFT_EVAL_OUTPUTS_H
#define DINOFT_EVAL_OUTPUTS_H

#include "dinoft/config.h"
#include "dinoft/evaluate.h"
#include "dinoft/best_worst.h"
#include "dinoft/bootstrap.h"
#include "dinoft/image_scores_csv.h"
#include "dinoft/measure.h"
#include "dinoft/metrics.h"

struct eval_outputs {
    const struct df_config *config;
    const struct df_measure *measure;
    struct df_image_scores_list scores; /* of each image, where a file shows them */
    struct df_best_worst best_worst;    /* where a report shows them */
    struct df_palette palette;
    struct df_bootstrap bootstrap;
    struct df_interval interval; /* of the mIoU, once it is found; resamples 0: none is asked for */
};

/* Whether the pixels of predictions are needed, and whether those of images. */
bool eval_outputs_needs_maps(const struct df_config *config);
bool eval_outputs_needs_images(const struct df_config *config);

/* Checks that every file can be written and is not one that is read. After measuring_open. -1 with the error
 * set. */
int eval_outputs_check(const struct df_config *config, const struct df_measure *measure);

void eval_outputs_init(struct eval_outputs *outputs, const struct df_config *config,
                       const struct df_measure *measure);
void eval_outputs_free(struct eval_outputs *outputs);

/* A df_prediction_observer; context is the struct eval_outputs. */
int eval_outputs_observe(void *context, const struct df_prediction *prediction);

/* When all images have been looked at: resamples them. -1 with the error set. */
int eval_outputs_find_interval(struct eval_outputs *outputs);

/* Writes what was asked for. -1 with the error set. */
int eval_outputs_write(struct eval_outputs *outputs, const struct df_metrics *metrics);

#endif
