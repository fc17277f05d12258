/* The loop: epochs, steps, validations, checkpoints. */
#include "training.h"

#include "dinoft/error.h"
#include "dinoft/evaluate.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* What the labels of all masks that the first epoch has read tell. */
static int check_labels(struct df_training *training)
{
    const struct df_dataset *const sets[] = {training->train_set, training->val_set};

    if (df_labels_check(sets, 2) != 0) {
        training->worthless = true;
        return -1;
    }
    df_labels_report_absent(training->train_set, "training");
    df_labels_report_ignored(training->train_set, "training");
    return 0;
}

static void print_validation(const struct df_training *training, int64_t epoch,
                             const struct df_scores *scores)
{
    printf("epoch %" PRId64 "/%" PRId64 ": train loss %.4f, val loss %.4f, mIoU %.4f, pixel accuracy %.4f",
           epoch + 1, training->options.epochs, training->log.train_loss[training->log.n_epochs - 1],
           scores->loss, scores->miou, scores->pixel_accuracy);
    if (training->options.reference_numbers)
        printf(", reference IoU (August 2025) %.4f, reference mIoU (October 2025) %.4f",
               scores->reference_iou, scores->reference_miou);
    putchar('\n');
    fflush(stdout);
}

static int validate(struct df_training *training, int64_t epoch)
{
    struct df_metrics metrics;
    struct df_scores scores;
    const struct df_evaluation evaluation = {
        .batch_size = training->options.batch_size, .label = "validation", .stop = training->stop};
    int status = -1;

    if (df_metrics_init(&metrics, training->val_set->n_classes,
                        training->val_set->reference_void_is_background) != 0)
        return -1;
    if (df_evaluate(training->segmenter, training->val_feed, &evaluation, &metrics) != 0)
        goto done;
    if (*training->stop) { /* a part of the images would be a wrong number */
        status = 0;
        goto done;
    }
    df_metrics_scores(&metrics, &scores);
    print_validation(training, epoch, &scores);
    struct run_validation validation = {epoch, scores.loss, scores.miou, scores.reference_iou,
                                        scores.reference_miou};
    status = run_log_validation(&training->log, &validation);
    if (status == 0)
        status = training_judge(training, epoch, &scores);
    if (training->log.n_validations == 1)
        df_labels_report_absent(training->val_set, "validation");
done:
    df_metrics_free(&metrics);
    return status;
}

/* The moving average where there is one. Weights that can be read again, and that the last batch still makes
 * finite logits of: its loss was found before they were changed. */
static int save(struct df_training *training, const char *path)
{
    struct df_segmenter *segmenter = training->segmenter;

    if (df_segmenter_use_average(segmenter, true) != 0)
        return -1;
    if (df_segmenter_check_parameters(segmenter) != 0 ||
        df_segmenter_forward(segmenter, training->last_count, false, NULL) != 0) {
        training->worthless = true;
        return df_error_context("step %" PRId64
                                ": training diverged and is not saved (a smaller learning rate may help)",
                                training->step);
    }
    return df_checkpoint_save(path, segmenter, &training->record);
}

static void print_loss(const struct df_training *training, int64_t epoch)
{
    printf("epoch %" PRId64 "/%" PRId64 ": train loss %.4f\n", epoch + 1, training->options.epochs,
           training->log.train_loss[epoch]);
    fflush(stdout);
}

static int train_all(struct df_training *training)
{
    for (int64_t epoch = 0;
         epoch < training->options.epochs && !*training->stop && !training_out_of_steps(training); epoch++) {
        DF_TRY(training_epoch(training, epoch));
        if (epoch == 0 && !*training->stop)
            DF_TRY(check_labels(training));
        if (*training->stop)
            break;
        if (!training_validates(training, epoch)) {
            print_loss(training, epoch);
            continue;
        }
        /* Before the validation, which may be long: what was trained is safe. */
        DF_TRY(save(training, training->checkpoint_path));
        DF_TRY(training_keep(training, epoch));
        DF_TRY(validate(training, epoch));
        DF_TRY(df_segmenter_use_average(training->segmenter, false));
        if (training_stops_early(training, epoch))
            break;
    }
    if (!*training->stop)
        return 0;
    if (training->step == 0) {
        df_log("interrupted before the first step: nothing was trained or written");
        return 0;
    }
    DF_TRY(save(training, training->checkpoint_path));
    df_log("interrupted after step %" PRId64 "; the checkpoint is %s", training->step,
           training->checkpoint_path);
    return 0;
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
    const bool saved = path && training->step > 0 && !training->worthless && save(training, path) == 0;
    if (saved)
        df_log("stopped after step %" PRId64 "; what was trained until then is %s", training->step, path);
    else if (training->diverged)
        df_log("what was trained since the last checkpoint is not saved: %s", df_error_text());
    df_error_again(&reason);
    free(path);
}

int df_training_run(struct df_training *training)
{
    DF_TRY(run_log_init(&training->log, training->files->folder, training->files->name));
    int status = training_open_feeds(training);
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
