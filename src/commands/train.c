#include "commands.h"
#include "interrupt.h"
#include "run_record.h"
#include "train_observers.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"
#include "dinoft/schedule_choice.h"
#include "dinoft/setup.h"
#include "dinoft/text.h"
#include "dinoft/train.h"
#include "dinoft/training_start.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
    struct df_config *config; /* with what the checkpoint says where nothing is typed */
    struct df_run_files files;
    struct df_setup setup;
    struct df_dataset *train_set, *val_set;
    struct train_observers observers;
    struct df_training *training;
    char *found; /* the run that goes on, where nobody named one */
    bool resumes;
};

static int open_sets(struct job *job)
{
    job->train_set = df_setup_dataset(job->config, DF_SPLIT_TRAIN, job->config->n_classes);
    job->val_set =
        job->train_set ? df_setup_dataset(job->config, DF_SPLIT_VAL, job->config->n_classes) : NULL;
    if (!job->val_set)
        return -1;
    const struct df_dataset *const sets[] = {job->train_set, job->val_set};
    return df_labels_look(sets, 2);
}

/* Outputs must not take the place of what is read; only the checkpoint that a run goes on from may be
 * replaced. */
static int check_overwriting(const struct job *job)
{
    int status = 0;

    for (int i = 0; status == 0 && df_run_endings[i]; i++) {
        char *path = df_run_file(&job->files, df_run_endings[i]);
        if (!path)
            return -1;
        if (i == 0)
            status = df_check_other_file(path, job->setup.weights_path);
        else
            status = df_setup_check_output(&job->setup, job->config, path);
        free(path);
    }
    return status;
}

/* The checkpoint of an epoch that a run starts from is not one of those that it will write. */
static int check_kept(const struct job *job)
{
    const char *start = job->config->lora_weights, *last = start ? strrchr(start, '_') : NULL;
    int64_t epoch;
    int end = 0;

    if (job->config->kept == 0 || !last || sscanf(last, "_e%9" SCNd64 ".pt%n", &epoch, &end) != 1 ||
        end == 0 || last[end] != '\0')
        return 0;
    char *path = df_run_file(&job->files, last);
    const int status = path ? df_setup_check_output(&job->setup, job->config, path) : -1;
    free(path);
    return status;
}

/* Which run goes on, where nobody names one. */
static int choose_run(struct job *job)
{
    struct df_config *config = job->config;

    if (config->resume == DF_RESUME_NO || config->typed[DF_OPTION_EXP_NAME])
        return 0;
    DF_TRY(df_newest_run(config->output_dir, ".state", &job->found));
    if (!job->found)
        return config->resume == DF_RESUME_AUTO || config->exp_name
                   ? 0
                   : df_error_set(
                         "there is nothing to resume in %s: --exp_name names a run, --resume auto begins one",
                         config->output_dir);
    df_log("the newest run of %s is %s", config->output_dir, job->found);
    config->exp_name = job->found;
    return 0;
}

/* Whether a run goes on; it cannot where none was stopped. */
static int find_state(const struct job *job, bool *resumes)
{
    char *path = df_run_file(&job->files, ".state");
    int status = path ? 0 : -1;

    *resumes = path && job->config->resume != DF_RESUME_NO && access(path, F_OK) == 0;
    if (path && job->config->resume == DF_RESUME_YES && !*resumes)
        status = df_error_set("there is nothing to resume: %s is not there (--resume auto begins a run then)",
                              path);
    free(path);
    return status;
}

static struct df_training *open_training(struct job *job, const volatile sig_atomic_t *stop)
{
    const struct df_config *config = job->config;
    struct df_training_options options = {
        .epochs = config->epochs,
        .batch_size = config->batch_size,
        .max_steps = config->max_steps,
        .val_every = config->val_every,
        .accumulate = config->accumulate,
        .save_every = 60.0 * config->save_every,
        .resume = job->resumes,
        .restart_schedule = config->restart_schedule,
        .keep_checkpoints = config->kept,
        .best_metric = config->best_metric,
        .early_stop = config->early_stop,
        .seed = (uint64_t)config->seed,
        .shuffle = !config->no_shuffle,
        .reference_picture = config->debug,
        .reference_names = df_recipe_is_reference(config->recipe),
        .workers = (int)config->num_workers,
        .features = config->cache_features,
        .observers = job->observers.items,
        .n_observers = job->observers.count,
    };

    if (df_schedule_choose(config, job->train_set->count, &options.schedule) != 0)
        return NULL;
    return df_training_open(&options, &job->setup, &job->files, job->train_set, job->val_set, stop);
}

/* Whether a run of this name has left a model: what was killed before its first one left logs alone. */
static bool has_result(const struct job *job)
{
    static const char *const results[] = {".pt", "_best.pt"};
    bool found = false;

    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        char *path = df_run_file(&job->files, results[i]);
        found |= !path || access(path, F_OK) == 0;
        free(path);
    }
    return found;
}

/* Files of an earlier run of the name are replaced by the run itself that goes on, or if that was asked for.
 */
static int open_named(struct job *job, const char *name)
{
    const struct df_config *config = job->config;

    if (name[strlen(name) - 1] == '/')
        return df_error_set("--exp_name %s names a folder, not an experiment", name);
    DF_TRY(df_run_files_open(&job->files, config->output_dir, name, DF_OTHER_RUN_ADVICE));
    DF_TRY(find_state(job, &job->resumes));
    if (job->resumes || config->overwrite || (config->resume == DF_RESUME_AUTO && !has_result(job)))
        return 0;
    return df_run_files_check_new(&job->files, DF_OVERWRITE_ADVICE);
}

/* DATASET_SIZE_DECODER, with a number where that is taken. */
static int open_unnamed(struct job *job)
{
    const struct df_config *config = job->config;
    char size[DF_VIT_SIZE_WORD];
    char *name = df_text_format("%s_%s_%s", df_dataset_kind_name(config->dataset),
                                df_vit_size_word(&job->setup.vit, size), df_typed_decoder(config));
    int status = -1;

    if (name)
        status = config->overwrite ? open_named(job, name)
                                   : df_run_files_choose(&job->files, config->output_dir, name);
    free(name);
    return status;
}

static int train(struct job *job, const volatile sig_atomic_t *stop)
{
    struct df_config *config = job->config;

    DF_TRY(choose_run(job));
    if (config->exp_name)
        DF_TRY(open_named(job, config->exp_name));
    DF_TRY(df_setup_open(&job->setup, config));
    if (!config->exp_name)
        DF_TRY(open_unnamed(job));
    DF_TRY(open_sets(job));
    DF_TRY(check_overwriting(job));
    DF_TRY(check_kept(job));
    DF_TRY(df_training_start(&job->setup, config, job->train_set));
    DF_TRY(train_observers_open(&job->observers, config));
    job->training = open_training(job, stop);
    if (!job->training)
        return -1;
    const struct run_record record = {config,         &job->files,  &job->setup,
                                      job->train_set, job->val_set, job->training};
    DF_TRY(run_record_write(&record));
    return df_training_run(job->training);
}

int command_train(struct df_config *config)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    struct job job = {.config = config};

    signal(SIGPIPE, SIG_IGN); /* a reader of the printed lines that goes away is no reason to stop training */
    const int status = train(&job, stop);
    df_training_close(job.training);
    train_observers_close(&job.observers);
    df_setup_close(&job.setup);
    df_dataset_free(job.train_set);
    df_dataset_free(job.val_set);
    df_run_files_close(&job.files);
    free(job.found);
    if (status != 0)
        return 1;
    return *stop ? EXIT_INTERRUPTED : 0;
}
