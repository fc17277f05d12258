/* A training run's inside. */
#ifndef DINOFT_TRAIN_TRAINING_H
#define DINOFT_TRAIN_TRAINING_H

#include "best.h"
#include "observers.h"
#include "run_log.h"

#include "dinoft/cached_features.h"
#include "dinoft/feed.h"
#include "dinoft/inference.h"
#include "dinoft/train.h"

/* How far the run is: in an epoch that goes on, or at the end of one. */
struct df_place {
    int64_t epoch;
    int64_t done;    /* steps of the epoch whose results are there */
    double loss_sum; /* over those of them that had a labelled pixel, */
    int64_t losses;  /* which are so many */
};

/* Which NAME_eNUMBER.pt a run has written and not removed, the oldest first. Another recipe counts otherwise.
 */
struct kept_checkpoints {
    int64_t *numbers; /* [count] */
    int64_t count;
};

/* Of a step, for those who want to look at them. */
#define STEP_IMAGES_SHOWN 3
struct step_images {
    int64_t count;                    /* in all its parts */
    int64_t first[STEP_IMAGES_SHOWN]; /* indices into the training set */
};

/* What was the best before the validation of an epoch that --max_steps has cut off. */
struct cut_epoch {
    bool is;
    struct df_best_so_far best;
    void *bytes; /* [size]: NAME_best.pt of then; NULL: there was none */
    size_t size;
};

struct df_training {
    struct df_training_options options;
    const volatile sig_atomic_t *stop;
    struct df_setup *setup;
    const struct df_run_files *files;
    struct df_dataset *train_set;
    struct df_dataset *val_set; /* NULL: nothing is measured, and no epoch is the best */
    struct df_cached_features features;
    struct df_loader *train_loader, *val_loader; /* NULL where all features are there, or no val_set */
    int workers; /* threads that read images, until all features are there; 0: none does */
    struct df_feed *train_feed, *val_feed; /* val_feed: NULL without a val_set */
    struct df_segmenter *segmenter;
    struct df_inference *inference; /* of validation images that keep their ratio; else NULL */
    struct df_record record;        /* borrows the data set's class names */
    struct run_log log;
    struct observers observers;
    char *checkpoint_path, *best_path;
    struct df_state *state; /* that the run goes on from, until it does; or NULL */
    struct df_best_so_far best;
    struct cut_epoch cut;
    struct kept_checkpoints kept;
    struct kept_checkpoints older_kept; /* an older run's of the name, */
    bool older_is_there;                /* whose other checkpoints are still there */
    struct df_place place;
    int64_t epoch_steps;         /* of a whole epoch */
    int64_t schedule_origin;     /* step, or epoch, at which the schedule began */
    bool stopped_early;          /* --early_stop has ended the run */
    bool pair_is_whole;          /* NAME.pt was written with the NAME.state that the run goes on from */
    uint64_t checkpoint_content; /* df_state_digest() of NAME.pt; 0: there is none */
    double saved_at;             /* df_seconds() of the last NAME.pt, or the beginning */
    bool masks_checked;          /* what all of them say is known */
    bool masks_seen;             /* an epoch has been read from its first batch on */
    struct df_rng rng;           /* RoPE rescaling */
    int64_t step;                /* begun so far, over all epochs */
    int64_t finished;            /* whose results are there */
    int64_t last_count;          /* images of the batch that the model saw last */
    bool worthless;              /* what was trained is not to be saved */
    bool diverged;               /* it may be good, but for the batch that the model saw last */
};

/* How training images are handed out, where they are. */
struct df_loader_options training_images(const struct df_training *training);

/* Whether all steps of the epoch have been done. */
static inline bool training_epoch_is_whole(const struct df_training *training)
{
    return training->place.done == training->epoch_steps;
}

/* max_steps have been begun. */
static inline bool training_out_of_steps(const struct df_training *training)
{
    return training->options.max_steps > 0 && training->step >= training->options.max_steps;
}

/* Whether the epoch has no step left: it is whole, or max_steps cut it off. */
static inline bool training_epoch_is_over(const struct df_training *training)
{
    return training_epoch_is_whole(training) || training_out_of_steps(training);
}

/* Whether a checkpoint follows this epoch. */
static inline bool training_saves(const struct df_training *training, int64_t epoch)
{
    return epoch % training->options.val_every == 0 || epoch + 1 == training->options.epochs ||
           training_out_of_steps(training);
}

/* Whether a validation follows its checkpoint. */
static inline bool training_validates(const struct df_training *training, int64_t epoch)
{
    return training->val_set && training_saves(training, epoch);
}

/* An epoch's number in the names of files: from 1 as everywhere else, but in the reference project's. */
static inline int64_t training_file_epoch(const struct df_training *training, int64_t epoch)
{
    return epoch + (training->options.reference_names ? 0 : 1);
}

/* NAME_eNUMBER.pt, to be freed. NULL with the error set. */
static inline char *training_kept_path(const struct df_training *training, int64_t number)
{
    return df_run_epoch_file(training->files, "_e", number, ".pt");
}

/* Tells the observers how long the run is, and what they have stored in the state that it goes on from, or
 * NULL. */
void training_start_observers(struct df_training *training, const struct df_state *state);

/* A training that has no model, no files and no record yet. NULL with the error set. */
struct df_training *training_new(const struct df_training_options *options, struct df_setup *setup,
                                 struct df_dataset *train_set, struct df_dataset *val_set);

/* Before the model is made of the weights, which are freed then. -1 with the error set. */
int training_fill_record(struct df_training *training);

/* All steps of the epoch that are left, or as many as max_steps and an interrupt allow; with their results
 * when it returns. -1 with the error set. */
int training_epoch(struct df_training *training);

/* Of what run_state_read_course() has found: whether nothing is left to do. The place may change. */
bool training_is_over(struct df_training *training);

/* NAME.pt and NAME_best.pt, and the log. -1 with the error set. */
int training_name_files(struct df_training *training);

/* A checkpoint of the model as it is. -1 with the error set. */
int training_write(const struct df_training *training, const char *path);

/* A checkpoint that no state belongs to. -1 with the error set. */
int training_save_alone(struct df_training *training, const char *path);

/* NAME.state and NAME.pt, for the model and the place of now: no step's result is waited for. Leaves the
 * moving average in use, where there is one. -1 with the error set. */
int training_save(struct df_training *training);

/* Measures the model as NAME.pt has just got it on the validation images, and tells everybody. Interrupted,
 * it tells nobody, and returns 0. */
int training_validate(struct df_training *training);

/* Fills the cache of features, if there is one, and makes the feeds. Afterwards nothing of the backbone and
 * no image is needed any more where there is. Interrupted, it makes none, and returns 0. */
int training_open_feeds(struct df_training *training);

/* Sets the error that tells of a step whose loss or gradients are not finite. Always returns -1. */
int training_diverged(struct df_training *training, const struct df_step_seen *step,
                      const struct step_images *images);
/* Images of the validation, or without any those of another step of the epoch, take the place of the batch
 * that the model saw last. */
int training_load_others(struct df_training *training);

/* Before the first step of a new run: an older one of the name can go on no more. What its NAME.pt holds is
 * remembered. -1 with the error set. */
int training_retire_older(struct df_training *training);
/* When NAME.pt has taken the place of the older run's: its other checkpoints go, once. -1 with the error set.
 */
int training_discard_older(struct df_training *training);

/* -1 with the error set where NAME_best.pt or a NAME_eEPOCH.pt of this run would replace the checkpoint of
 * another, which is called so. */
int training_check_kept(const struct df_training *training);
/* Writes NAME_eEPOCH.pt of what NAME.pt has just got, where the options ask for it and the epoch is whole,
 * and removes those of older epochs that are too many. */
int training_keep(struct df_training *training, int64_t epoch);
/* Whether that has been done, or nothing is to be done. */
bool training_has_kept(const struct df_training *training, int64_t epoch);

/* What a validation of all images found of the parameters that NAME.pt has just got: NAME_best.pt gets them
 * too where they are the best so far. */
int training_judge(struct df_training *training, int64_t epoch, const struct df_scores *scores);
/* Whether the run ends with this epoch, as so many validations were no better. Logs it. */
bool training_stops_early(const struct df_training *training, int64_t epoch);
void training_log_best(const struct df_training *training);

/* NAME_viz_EPOCH.png as main.py draws it: the first image that the model was given last, this sample, under
 * its prediction. */
int training_write_picture(struct df_training *training, int64_t epoch, int64_t sample);

#endif
