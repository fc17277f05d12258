/* A training run: from a model's parts and two data sets to a checkpoint and the files beside it. It knows no
 * flag, prints nothing, and knows no report: observers do both. */
#ifndef DINOFT_TRAIN_H
#define DINOFT_TRAIN_H

#include "dinoft/augment.h"
#include "dinoft/best_metric.h"
#include "dinoft/dataset.h"
#include "dinoft/feature_cache.h"
#include "dinoft/run_files.h"
#include "dinoft/model_parts.h"
#include "dinoft/schedule.h"
#include "dinoft/training_observer.h"

#include <signal.h>

struct df_training_options {
    int64_t epochs, batch_size;
    int64_t max_steps; /* 0: no limit */
    int64_t val_every; /* epochs from one validation and checkpoint to the next; the last has them */
    struct df_schedule schedule;     /* AdamW's learning rate */
    int64_t accumulate;              /* parts of a batch whose gradients are added up; divides batch_size */
    int64_t keep_checkpoints;        /* NAME_eEPOCH.pt of so many of the newest validations */
    enum df_best_metric best_metric; /* of the validation that NAME_best.pt is from */
    int64_t early_stop;              /* end after so many validations without a better one; 0: never */
    double save_every;               /* seconds from one NAME.pt to the next, between validations; 0: none */
    bool resume;                     /* goes on from NAME.state */
    bool restart_schedule;           /* which then begins anew where the run is */
    uint64_t seed;                   /* of new weights, the order and augmentation of images, RoPE's
                                        rescaling */
    bool shuffle;                    /* the training images, each epoch anew */
    int64_t shuffle_buffer;          /* where these are in shards, see struct df_shuffle */
    struct df_augment_options augment; /* how they are changed */
    bool reference_picture;            /* main.py's NAME_viz_EPOCH.png at each validation */
    bool reference_names;              /* epochs in names of files count from 0, as main.py's do */
    int workers;                       /* threads that read images; 0: one for each core, at most 8 */
    enum df_feature_place features;    /* where those of a frozen backbone are kept, as it is wanted */
    const char *features_path;         /* of their file; NULL: NAME_features.cache */
    struct df_features_keeper
        *features_keeper; /* where those in memory stay for the next run; NULL: nowhere */
    const struct df_training_observer *observers; /* [n_observers, at most 32], which outlive the training */
    int n_observers;
};

struct df_training;

/* Everywhere here val_set is NULL where there are no validation images: then nothing is measured, and there
 * is no NAME_best.pt. */

/* Which run of a folder goes on, where nobody names one: of those that the options, the parts and the sets
 * fit, the one whose state was written last (by the file's time). *name: the run's, to be freed. 1 with *name
 * NULL and the error set, which tells what is other in the newest one: none fits, or there is none, or no
 * folder. -1: that could not be found out. */
int df_training_find(const struct df_training_options *options, struct df_setup *setup,
                     struct df_dataset *train_set, struct df_dataset *val_set, const char *folder,
                     char **name);

/* Whether the run whose NAME.state is there is over: nothing of the options is left to do. Makes no model,
 * and changes no file. -1 with the error set, such as for a state of other settings, which names them. */
int df_training_is_over(const struct df_training_options *options, struct df_setup *setup,
                        const struct df_run_files *files, struct df_dataset *train_set,
                        struct df_dataset *val_set, const volatile sig_atomic_t *stop, bool *over);

/* Makes the model and the loaders; logs what is trained. setup (whose backbone is released when it is
 * not needed any more), files and the sets must outlive the training. When *stop becomes non-zero the run
 * ends after the current step, with a checkpoint. NULL with the error set. */
struct df_training *df_training_open(const struct df_training_options *options, struct df_setup *setup,
                                     const struct df_run_files *files, struct df_dataset *train_set,
                                     struct df_dataset *val_set, const volatile sig_atomic_t *stop);
void df_training_close(struct df_training *training); /* NULL is allowed */

/* Where the features are kept in the end: never "auto". */
enum df_feature_place df_training_features(const struct df_training *training);

/* Threads that read images; 0 where all features are there. */
int df_training_workers(const struct df_training *training);

/* The training image that comes at that place in the order of an epoch (both from 0 on), and its label, as
 * the model gets them. *sample: its index in the set. Allocates both. -1 with the error set and nothing
 * allocated. */
int df_training_image(const struct df_training *training, int64_t epoch, int64_t at, int64_t *sample,
                      struct df_image *image, struct df_image *label);

/* Trains, and writes NAME.pt, NAME_best.pt, NAME_metrics.json, NAME_steps.csv, and what the options ask for
 * besides. After an error, what was trained until then is in NAME_stopped.pt. Returns 0 / -1 with the error
 * set. */
int df_training_run(struct df_training *training);

#endif
