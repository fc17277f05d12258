/* What makes new values of a step's gradients: parts added up, clipping, AdamW, the moving average. All of it
 * is done on the device, so that a step can follow the one before without a look at its results. */
#ifndef DINOFT_MODEL_OPTIMIZER_H
#define DINOFT_MODEL_OPTIMIZER_H

#include "parameters.h"

#include "dinoft/optimizer.h"

/* What a step leaves on the device, to be fetched in one piece. */
struct df_step_outcome {
    struct df_loss_sum loss;        /* of all its parts */
    struct df_gradient_scale scale; /* norm: of the mean's gradient */
};

struct df_step_scalars;

struct df_optimizer {
    struct df_optimizer_options options;
    struct df_backend *backend;
    struct df_parameters *parameters;
    struct df_step_outcome *outcome; /* device */
    struct df_step_scalars *scalars; /* device: of the step that is under way */
    struct df_loss_sum *part_loss;   /* device: of the part that is under way; outcome->loss without parts */
    float *sums;                     /* device [length]: gradients of the parts; NULL: a step is one part */
    float *average;                  /* device [length]: the moving average; NULL: there is none */
    struct df_graph *graph;          /* of the update */
    bool averaged;                   /* the parameters' values are the average, and the average has theirs */
    int64_t parts;                   /* of the step that is under way, done so far */
    int64_t steps;                   /* done */
    int results; /* that are being fetched and were not asked for, at most DF_FETCH_SLOTS */
};

/* Takes its device memory, in one of the arena's two passes; accumulates: a step may have several parts. */
void optimizer_plan(struct df_optimizer *optimizer, struct df_arena *arena, bool accumulates);
void optimizer_free(struct df_optimizer *optimizer);

/* Before the first step. Here and below: 0, or -1 with the error set. */
int optimizer_start(struct df_optimizer *optimizer);

/* Before a part's pass, and behind its gradients, which a graph may have. */
int optimizer_begin_part(struct df_optimizer *optimizer);
int optimizer_add_part(struct df_optimizer *optimizer);

/* The step's update, and its outcome on the way to the host. */
int optimizer_update(struct df_optimizer *optimizer, double lr);

/* The outcome of the first step that was not asked for; waits for it. */
int optimizer_outcome(struct df_optimizer *optimizer, struct df_step_outcome *outcome);

/* Lets the parameters' values and the moving average change places, where `averaged` asks for it and there is
 * one. Gradients are lost. */
int optimizer_use_average(struct df_optimizer *optimizer, bool averaged);

#endif
