/* The files that eval writes beside its table, each where a flag asks for it. */
#ifndef DINOFT_EVAL_OUTPUTS_H
#define DINOFT_EVAL_OUTPUTS_H

#include "dinoft/config.h"
#include "dinoft/evaluate.h"
#include "dinoft/best_worst.h"
#include "dinoft/image_scores_csv.h"
#include "dinoft/measure.h"
#include "dinoft/metrics.h"

struct eval_outputs {
    const struct df_config *config;
    const struct df_measure *measure;
    struct df_image_scores_list scores; /* of each image, where a file shows them */
    struct df_best_worst best_worst;    /* where a report shows them */
};

/* Whether images are looked at one by one, and whether their pixels are needed for that. */
bool eval_outputs_observes(const struct df_config *config);
bool eval_outputs_needs_images(const struct df_config *config);

/* Checks that every file can be written and is not one that is read. After measuring_open. -1 with the error
 * set. */
int eval_outputs_check(const struct df_config *config, const struct df_measure *measure);

void eval_outputs_init(struct eval_outputs *outputs, const struct df_config *config,
                       const struct df_measure *measure);
void eval_outputs_free(struct eval_outputs *outputs);

/* A df_prediction_observer; context is the struct eval_outputs. */
int eval_outputs_observe(void *context, const struct df_prediction *prediction);

/* Writes what was asked for. -1 with the error set. */
int eval_outputs_write(struct eval_outputs *outputs, const struct df_metrics *metrics);

#endif
