/* The loop: epochs, steps, validations, checkpoints. */
#include "cut_epoch.h"
#include "run_state.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* What the labels of all masks that the first epoch has read tell. */
static int check_labels(struct df_training *training)
{
    const struct df_dataset *const sets[] = {training->train_set, training->val_set};

    if (df_labels_check(sets, training->val_set ? 2 : 1) != 0) {
        training->worthless = true;
        return -1;
    }
    training->masks_checked = true;
    df_labels_report_absent(training->train_set, "training");
    df_labels_report_ignored(training->train_set, "training");
    return 0;
}

/* The epoch of the last validation, from 1; 0: there was none. */
static int64_t judged(const struct df_training *training)
{
    const struct run_log *log = &training->log;

    return log->n_validations > 0 ? log->validations[log->n_validations - 1].epoch : 0;
}

static bool validated(const struct df_training *training)
{
    return judged(training) == training->place.epoch + 1;
}

/* Whether all that follows the end of the epoch is done: the last of it is in the state. */
static bool is_ended(const struct df_training *training)
{
    return training->val_set ? validated(training) : training_has_kept(training, training->place.epoch);
}

/* At the end of an epoch, or of all steps. */
static int end_epoch(struct df_training *training)
{
    const int64_t epoch = training->place.epoch;

    if (!training_saves(training, epoch))
        return 0;
    /* Before the validation, which may be long: what was trained is safe. */
    DF_TRY(training_save(training));
    DF_TRY(training_keep(training, epoch));
    if (training->val_set)
        DF_TRY(training_validate(training));
    /* It is not ended again. */
    DF_TRY(run_state_write(training, training->checkpoint_content));
    return df_segmenter_use_average(training->segmenter, false);
}

static bool at_the_end(const struct df_training *training)
{
    return training->stopped_early || training->place.epoch >= training->options.epochs ||
           training_out_of_steps(training);
}

/* What follows the end of an epoch that nobody has interrupted. */
static void leave_epoch(struct df_training *training)
{
    const struct df_place *place = &training->place;

    training->stopped_early = validated(training) && training_stops_early(training, place->epoch);
    if (training_epoch_is_whole(training))
        training->place = (struct df_place){.epoch = place->epoch + 1};
}

static void log_nothing(void)
{
    df_log("interrupted before the first step: nothing was trained or written");
}

static int train_all(struct df_training *training)
{
    while (!at_the_end(training) && !*training->stop) {
        DF_TRY(training_epoch(training));
        if (*training->stop && !training_epoch_is_whole(training))
            break;
        if (training->masks_seen && !training->masks_checked)
            DF_TRY(check_labels(training));
        DF_TRY(end_epoch(training));
        if (*training->stop)
            break;
        leave_epoch(training);
    }
    if (!*training->stop)
        return 0;
    if (training->step == 0) {
        log_nothing();
        return 0;
    }
    DF_TRY(training_save(training));
    DF_TRY(run_log_write(&training->log));
    df_log("interrupted after step %" PRId64 "; the checkpoint is %s", training->step,
           training->checkpoint_path);
    df_log("--resume goes on from there");
    return 0;
}

/* What was left to do at the end of the epoch, or of all steps, at which an earlier process ended. */
static int end_before(struct df_training *training)
{
    const struct df_place *place = &training->place;

    if (place->done == 0) { /* an epoch was left, and may have been the last one */
        training->stopped_early =
            judged(training) == place->epoch && training_stops_early(training, place->epoch - 1);
        return 0;
    }
    if (!training_epoch_is_over(training))
        return 0;
    if (training_saves(training, place->epoch) && !is_ended(training))
        DF_TRY(end_epoch(training));
    if (!*training->stop)
        leave_epoch(training);
    return 0;
}

bool training_is_over(struct df_training *training)
{
    const struct df_place *place = &training->place;
    const bool is_owed_its_end = place->done > 0 && training_epoch_is_over(training) &&
                                 training_saves(training, place->epoch) && !is_ended(training);

    /* Without that, nothing is computed or written. */
    return training->pair_is_whole && !is_owed_its_end && end_before(training) == 0 && at_the_end(training);
}

/* Where an earlier process ended, if this run goes on. */
static int begin(struct df_training *training)
{
    training->saved_at = df_seconds();
    if (!training->options.resume) {
        training_start_observers(training, NULL);
        return 0;
    }
    DF_TRY(run_log_go_on(&training->log));
    DF_TRY(cut_epoch_go_on(training));
    training_start_observers(training, training->state);
    df_state_free(training->state);
    training->state = NULL;
    df_log("resumed after step %" PRId64 ", in epoch %" PRId64, training->step, training->place.epoch + 1);
    if (!training->pair_is_whole) {
        DF_TRY(training_save(training));
        DF_TRY(df_segmenter_use_average(training->segmenter, false));
    }
    return end_before(training);
}

/* An error in the middle of a run costs neither what was trained until then nor what an earlier run saved: it
 * goes to NAME_stopped.pt. A step that was not finite has changed nothing, so what there is may be good:
 * other images tell, as the batch may be the reason. The error's text stays. */
static void rescue(struct df_training *training)
{
    struct df_error reason;

    df_error_keep(&reason);
    char *path = df_run_file(training->files, "_stopped.pt");
    if (training->diverged && training_load_others(training) != 0)
        training->worthless = true;
    const bool saved = path && training->step > 0 && training->last_count > 0 && !training->worthless &&
                       training_save_alone(training, path) == 0;
    if (saved)
        df_log("stopped after step %" PRId64 "; what was trained until then is %s", training->step, path);
    else if (training->diverged)
        df_log("warning: what was trained since the last checkpoint is not saved: %s", df_error_text());
    df_error_again(&reason);
    free(path);
}

int df_training_run(struct df_training *training)
{
    DF_TRY(training_open_feeds(training));
    if (*training->stop) { /* an interrupted cache of features makes none */
        log_nothing();
        return 0;
    }
    int status = begin(training);
    if (status == 0)
        status = train_all(training);
    if (status != 0)
        rescue(training);
    else if (!*training->stop)
        df_log("done: %s, %s, %s", training->checkpoint_path, training->log.metrics_path,
               training->log.steps_path);
    if (status == 0 || training->best.epoch >= 0)
        training_log_best(training);
    return status;
}
