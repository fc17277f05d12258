#include "choose_shots.h"
#include "commands.h"
#include "count_labels.h"
#include "interrupt.h"
#include "run_choice.h"
#include "run_record.h"
#include "train_observers.h"
#include "train_recipe.h"
#include "train_run.h"
#include "unmeasured.h"

#include "dinoft/augmented_picture.h"
#include "dinoft/class_weights.h"
#include "dinoft/error.h"
#include "dinoft/label_checks.h"
#include "dinoft/schedule_choice.h"
#include "dinoft/setup.h"
#include "dinoft/split_overlap.h"
#include "dinoft/train.h"
#include "dinoft/training_start.h"

#include <stdio.h>

struct job {
    struct df_config *config; /* with what the checkpoint says where nothing is typed */
    struct df_run_files files;
    struct df_setup setup;
    struct df_dataset *sets[2]; /* training, validation, which may be NULL */
    struct train_observers observers;
    struct run_record record;
    struct df_training *training;
    struct df_training_options options;
    const struct train_shared *shared; /* NULL: nothing */
    bool resumes;
};

static int open_sets(struct job *job)
{
    job->sets[0] = df_setup_dataset(job->config, DF_SPLIT_TRAIN, NULL);
    if (!job->sets[0])
        return -1;
    DF_TRY(df_setup_validation_set(job->config, job->sets[0], &job->sets[1]));
    const struct df_dataset *const sets[] = {job->sets[0], job->sets[1]};
    DF_TRY(df_labels_look(sets, sets[1] ? 2 : 1));
    if (sets[1])
        DF_TRY(df_split_overlap_report(sets[0], sets[1]));
    return choose_shots(job->config, job->sets[0]);
}

static int choose_class_weights(struct job *job, const volatile sig_atomic_t *stop)
{
    const char *text = job->config->class_weights;

    if (df_class_weights_need_shares(text))
        DF_TRY(count_labels(job->sets[0], job->config->num_workers));
    return *stop ? 0 : df_class_weights_choose(text, job->sets[0], &job->setup.model.loss);
}

static int choose_options(struct job *job)
{
    const struct df_config *config = job->config;

    job->options = (struct df_training_options){
        .epochs = config->epochs,
        .batch_size = config->batch_size,
        .max_steps = config->max_steps,
        .val_every = config->val_every,
        .accumulate = config->accumulate,
        .save_every = 60.0 * config->save_every,
        .restart_schedule = config->restart_schedule,
        .keep_checkpoints = config->kept,
        .best_metric = config->best_metric,
        .early_stop = config->early_stop,
        .seed = (uint64_t)config->seed,
        .shuffle = !config->no_shuffle,
        .shuffle_buffer = config->shuffle_buffer,
        .augment = df_setup_augmentation(config),
        .reference_picture = config->debug && df_recipe_is_reference(config->recipe),
        .reference_names = df_recipe_is_reference(config->recipe),
        .workers = (int)config->num_workers,
        .features = config->cache_features,
    };
    if (job->shared) {
        job->options.features_path = job->shared->features_path;
        job->options.features_keeper = job->shared->features_keeper;
    }
    return df_schedule_choose(config, job->sets[0]->count, &job->options.schedule);
}

/* All that the settings depend on. Interrupted, it chooses no options, and returns 0. */
static int prepare(struct job *job, const volatile sig_atomic_t *stop)
{
    DF_TRY(df_setup_open(&job->setup, job->config));
    DF_TRY(open_sets(job));
    df_config_settle_batch(job->config, job->sets[0]->count);
    job->setup.model.max_batch = job->config->batch_size / job->config->accumulate;
    DF_TRY(df_training_start(&job->setup, job->config, job->sets[0]));
    if (!job->sets[1])
        DF_TRY(unmeasured_check(job->config));
    DF_TRY(choose_class_weights(job, stop));
    return *stop ? 0 : choose_options(job);
}

static int train(struct job *job, const volatile sig_atomic_t *stop)
{
    struct df_config *config = job->config;
    struct df_training_options *options = &job->options;

    DF_TRY(run_choice_known(&job->files, config, &job->resumes));
    DF_TRY(prepare(job, stop));
    if (*stop)
        return 0;
    DF_TRY(run_choice_open(&job->files, config, &job->setup, job->sets, options, &job->resumes));
    DF_TRY(run_choice_check(&job->files, config, &job->setup));
    job->record = (struct run_record){.config = config,
                                      .files = &job->files,
                                      .setup = &job->setup,
                                      .train_set = job->sets[0],
                                      .val_set = job->sets[1]};
    DF_TRY(train_observers_open(&job->observers, &job->record, job->resumes));
    options->resume = job->resumes;
    options->observers = job->observers.items;
    options->n_observers = job->observers.count;
    job->training = df_training_open(options, &job->setup, &job->files, job->sets[0], job->sets[1], stop);
    if (!job->training)
        return -1;
    job->record.training = job->training;
    if (!job->sets[1])
        unmeasured_warn(config);
    train_recipe_log(config, options, job->sets[0]->count);
    if (config->debug && df_augment_changes(&options->augment))
        DF_TRY(df_augmented_picture_write(job->training, job->sets[0], &job->files));
    return df_training_run(job->training);
}

static void close_job(struct job *job)
{
    df_training_close(job->training);
    train_observers_close(&job->observers);
    df_setup_close(&job->setup);
    df_dataset_free(job->sets[0]);
    df_dataset_free(job->sets[1]);
    df_run_files_close(&job->files);
}

int train_run(struct df_config *config, const struct train_shared *shared)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    struct job job = {.config = config, .shared = shared};

    signal(SIGPIPE, SIG_IGN); /* a reader of the printed lines that goes away is no reason to stop training */
    const int status = train(&job, stop);
    close_job(&job);
    if (status != 0)
        return 1;
    return *stop ? EXIT_INTERRUPTED : 0;
}

static int look(struct job *job, const volatile sig_atomic_t *stop, bool *over)
{
    DF_TRY(run_choice_known(&job->files, job->config, &job->resumes));
    if (!job->resumes)
        return 0;
    DF_TRY(prepare(job, stop));
    if (*stop)
        return 0;
    return df_training_is_over(&job->options, &job->setup, &job->files, job->sets[0], job->sets[1], stop,
                               over);
}

int train_is_over(const struct df_config *config, bool *begun, bool *over)
{
    struct df_config filled_in = *config;
    struct job job = {.config = &filled_in};

    *over = false;
    const int status = look(&job, interrupt_flag(), over);
    *begun = job.resumes;
    close_job(&job);
    return status;
}

int command_train(struct df_config *config)
{
    if (config->print_config)
        return df_config_print(stdout, config) == 0 ? 0 : 1;
    return train_run(config, NULL);
}
