/* Images on their way: read ahead by threads, through the model in batches, written by the same threads, and
 * reported in their order. */
#ifndef DINOFT_PREDICT_RUN_H
#define DINOFT_PREDICT_RUN_H

#include "predict_model.h"
#include "predict_write.h"

#include "dinoft/prediction_csv.h"

struct predict_job {
    struct df_config *config;
    struct df_setup setup;
    struct predict_look look;
    struct predict_writers writers;
    struct predict_model model;
    struct inputs inputs;         /* none with --json_lines */
    struct df_prediction_csv csv; /* of --summary */
};

/* Does all images of the list, or of standard input. The command's exit status. */
int predict_run(struct predict_job *job);

#endif
