#include "train_observers.h"

#include "version.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/event_file.h"
#include "dinoft/run_page_observer.h"
#include "dinoft/text.h"
#include "dinoft/training_events.h"
#include "dinoft/training_picture.h"
#include "dinoft/training_screen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The place of the next one. */
static struct df_training_observer *next(struct train_observers *observers)
{
    assert((size_t)observers->count < sizeof observers->items / sizeof observers->items[0]);
    return &observers->items[observers->count];
}

/* Counts it, if it is open. Returns the status of opening it. */
static int count(struct train_observers *observers, int status)
{
    observers->count += status == 0;
    return status;
}

/* Elsewhere than in NAME_tb there may be another run's events, which TensorBoard would draw as one with this,
 * and which the first step would replace. A run that --resume auto begins once more has a log of steps. */
static int check_log_dir(const struct run_record *run, bool resumes)
{
    const struct df_config *config = run->config;
    char *steps = df_run_file(run->files, "_steps.csv");
    const bool begun_before = steps && config->resume == DF_RESUME_AUTO && access(steps, F_OK) == 0;

    free(steps);
    if (!steps)
        return -1;
    return resumes || config->overwrite || begun_before
               ? 0
               : df_event_files_check_none(config->log_dir,
                                           " (--log_dir names another folder, --overwrite replaces them)");
}

static int choose_log_dir(struct train_observers *observers, const struct run_record *run, bool resumes)
{
    const char *typed = run->config->log_dir;

    observers->log_dir = typed ? df_text_copy(typed) : df_run_file(run->files, "_tb");
    if (!observers->log_dir || df_check_writable(observers->log_dir) != 0)
        return -1;
    return typed ? check_log_dir(run, resumes) : 0;
}

static int open_events(struct train_observers *observers, const struct run_record *run, bool resumes)
{
    if (run->config->log_dir && strcmp(run->config->log_dir, "none") == 0)
        return 0;
    DF_TRY(choose_log_dir(observers, run, resumes));
    const struct df_training_events_options options = {
        .folder = observers->log_dir,
        .config_path = observers->config_path,
        .val_set = run->val_set,
        .backend = run->setup->backend,
    };
    return count(observers, df_training_events_open(next(observers), &options));
}

/* Of validation images. The reference project's recipes draw its own picture, of the training batch, in the
 * training. */
static int open_picture(struct train_observers *observers, const struct run_record *run)
{
    if (!run->config->debug || !run->val_set || df_recipe_is_reference(run->config->recipe))
        return 0;
    return count(observers, df_training_picture_open(next(observers), run->files, run->val_set));
}

static int open_page(struct train_observers *observers, const struct run_record *run)
{
    char *defaults = df_config_defaults(DF_COMMAND_TRAIN);
    const struct df_run_page_texts texts = {defaults, program_text()};
    const int status = defaults ? df_run_page_open(next(observers), run->files, run->val_set, &texts) : -1;

    free(defaults);
    return count(observers, status);
}

int train_observers_open(struct train_observers *observers, struct run_record *run, bool resumes)
{
    const bool reference_numbers = df_recipe_is_reference(run->config->recipe);

    observers->config_path = df_run_file(run->files, "_config.json");
    if (!observers->config_path)
        return -1;
    DF_TRY(count(observers, df_training_screen_open(next(observers), reference_numbers)));
    DF_TRY(open_picture(observers, run));
    *next(observers) = run_record_observer(run); /* before TensorBoard's log, which shows the file */
    count(observers, 0);
    DF_TRY(open_page(observers, run));
    return open_events(observers, run, resumes);
}

void train_observers_close(struct train_observers *observers)
{
    for (int i = 0; i < observers->count; i++) {
        if (observers->items[i].close)
            observers->items[i].close(observers->items[i].context);
    }
    free(observers->log_dir);
    free(observers->config_path);
}
