/* A training run's inside. */
#ifndef DINOFT_TRAIN_TRAINING_H
#define DINOFT_TRAIN_TRAINING_H

#include "run_log.h"

#include "dinoft/cached_features.h"
#include "dinoft/feed.h"
#include "dinoft/train.h"

/* How far the run is: in an epoch that goes on, or at the end of one. */
struct df_place {
    int64_t epoch;
    int64_t done;    /* steps of the epoch whose results are there */
    double loss_sum; /* over those of them that had a labelled pixel, */
    int64_t losses;  /* which are so many */
};

struct df_training {
    struct df_training_options options;
    const volatile sig_atomic_t *stop;
    struct df_setup *setup;
    const struct df_run_files *files;
    struct df_dataset *train_set, *val_set;
    struct df_cached_features features;
    struct df_loader *train_loader, *val_loader; /* NULL where all features are there */
    struct df_feed *train_feed, *val_feed;
    struct df_segmenter *segmenter;
    struct df_record record; /* borrows the data set's class names */
    struct run_log log;
    char *checkpoint_path;
    struct df_place place;
    int64_t epoch_steps;         /* of a whole epoch */
    int64_t schedule_origin;     /* step, or epoch, at which the schedule began */
    uint64_t checkpoint_content; /* df_state_digest() of NAME.pt; 0: there is none */
    double saved_at;             /* df_seconds() of the last NAME.pt, or the beginning */
    bool masks_checked;          /* what all of them say is known */
    bool masks_seen;             /* an epoch has been read from its first batch on */
    struct df_rng rng;           /* RoPE rescaling */
    int64_t step;                /* begun so far, over all epochs */
    int64_t finished;            /* whose results are there */
    int64_t last_count;          /* images of the batch that the model saw last */
    bool worthless;              /* what was trained is not to be saved */
};

/* max_steps have been begun. */
static inline bool training_out_of_steps(const struct df_training *training)
{
    return training->options.max_steps > 0 && training->step >= training->options.max_steps;
}

/* Whether a validation and a checkpoint follow this epoch. */
static inline bool training_validates(const struct df_training *training, int64_t epoch)
{
    return epoch % training->options.val_every == 0 || epoch + 1 == training->options.epochs ||
           training_out_of_steps(training);
}

/* All steps of the epoch that are left, or as many as max_steps and an interrupt allow; with their results
 * when it returns. -1 with the error set. */
int training_epoch(struct df_training *training);

/* A checkpoint that no state belongs to. -1 with the error set. */
int training_save_alone(struct df_training *training, const char *path);

/* NAME.state and NAME.pt, for the model and the place of now: no step's result is waited for. Leaves the
 * moving average in use, where there is one. -1 with the error set. */
int training_save(struct df_training *training);

/* Fills the cache of features, if there is one, and makes the feeds. Afterwards nothing of the backbone and
 * no image is needed any more where there is. Interrupted, it makes none, and returns 0. */
int training_open_feeds(struct df_training *training);

/* NAME_viz_EPOCH.png: the first image that the model was given last, this sample, under its prediction. */
int training_write_picture(struct df_training *training, int64_t epoch, int64_t sample);

#endif
