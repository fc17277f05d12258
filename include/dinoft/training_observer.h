/* Who looks at a training run while it goes on: the screen, logs for other tools, pages. A run tells all of
 * its observers the same, in the order in which it happens; none of them can change it. One that fails is
 * told of once, in a warning, and told of nothing from then on: a full disk of a log is no reason to lose a
 * model.
 *
 * Epochs and steps count from 1. */
#ifndef DINOFT_TRAINING_OBSERVER_H
#define DINOFT_TRAINING_OBSERVER_H

#include "dinoft/best_metric.h"
#include "dinoft/evaluate.h"
#include "dinoft/state.h"

struct df_run_start {
    int64_t epochs, epoch_steps; /* of the whole run, and of an epoch */
    int64_t steps;               /* of the whole run, if nothing ends it before */
    int64_t validations;         /* likewise; 0: there are no validation images */
    int64_t done;                /* steps that an earlier process has done */
    int64_t validated;           /* validations likewise, */
    double best;                 /* and the best_metric of the best one; NaN: none has one */
    enum df_best_metric best_metric;
    const struct df_state *state; /* what observers have stored, of which the run goes on; NULL: it begins */
};

struct df_epoch_seen {
    int64_t epoch;
    int64_t step;      /* of the run: the last one that is done */
    int64_t done;      /* steps of this epoch likewise */
    double train_loss; /* the mean of these; NaN: none had a labelled pixel */
    bool is_over;  /* false at its beginning, and where the run is stopped in it, to go on later; true where
                      the run's steps end before it does */
    bool is_saved; /* a checkpoint follows, */
    bool is_validated; /* and a validation */
};

struct df_step_seen {
    int64_t epoch, step;
    int64_t images; /* of its batch */
    double loss;    /* NaN: no pixel had a label */
    double lr;
    double gradient_norm; /* before it was clipped */
    double images_per_second;
};

struct df_validation_seen {
    int64_t epoch, step;
    double train_loss; /* of the epoch */
    double seconds;    /* that it took */
    const struct df_metrics *metrics;
    const struct df_scores *scores;
    bool is_best; /* the best one so far */
    double best;  /* its best_metric; NaN: none has one */
    int64_t best_epoch;
};

/* Functions that are NULL are not called. Each returns 0, or -1 with the error set. */
struct df_training_observer {
    const char *name; /* "the TensorBoard log": for the warning */
    void *context;
    /* Before anything else, when all that the run reads is known to be good. Nothing is written yet: the run
     * may still be refused. */
    int (*start)(void *context, const struct df_run_start *run);
    /* At the beginning of an epoch, or where a process goes on in it, and when it is left. */
    int (*enter_epoch)(void *context, const struct df_epoch_seen *epoch);
    int (*leave_epoch)(void *context, const struct df_epoch_seen *epoch);
    int (*step)(void *context, const struct df_step_seen *step);
    /* During a validation: batches that are done, 0 at first, and how many there are. */
    int (*validating)(void *context, int64_t done, int64_t batches, int64_t images);
    /* The same few images of each validation, with maps: DF_SAMPLES_SEEN of them, or all where there are not
     * more. */
    int (*sample)(void *context, const struct df_prediction *prediction);
    /* Not of one that an interrupt has ended. */
    int (*validation)(void *context, const struct df_validation_seen *validation);
    /* Adds what it needs to go on from here, under names of its own, to the run's state. */
    int (*store)(void *context, struct df_state *state);
    /* After the run, by whoever opened it. Cannot fail: what is lost then is told of in a warning. */
    void (*close)(void *context);
};

#define DF_SAMPLES_SEEN 8

#endif
