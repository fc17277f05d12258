/* The loop: epochs, steps, validations, checkpoints. */
#include "training.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/evaluate.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"
#include "dinoft/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static bool out_of_steps(const struct df_training *training)
{
    return training->options.max_steps > 0 && training->step >= training->options.max_steps;
}

static int diverged(struct df_training *training, double loss)
{
    training->worthless = true;
    return df_error_set("the loss is %g at step %" PRId64
                        ": training diverged and is not saved (a smaller learning rate may help)",
                        loss, training->step);
}

/* One optimiser step on a batch, and its line in the CSV. */
static int train_batch(struct df_training *training, int64_t epoch, const struct df_batch *batch,
                       double started, double *loss)
{
    const double lr = training->options.lr;
    int64_t counted;

    DF_TRY(df_segmenter_train_step(training->segmenter, batch->count, lr, &training->rng, loss, &counted));
    training->step++;
    training->last_count = batch->count;
    double rate = (double)batch->count / (df_seconds() - started);
    DF_TRY(run_log_step(&training->log, epoch, training->step, *loss, lr, rate));
    if (!isfinite(*loss) && counted > 0)
        return diverged(training, *loss);
    return 0;
}

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

static bool validates(const struct df_training *training, int64_t epoch)
{
    return epoch % training->options.val_every == 0 || epoch + 1 == training->options.epochs ||
           out_of_steps(training);
}

static int no_labels(struct df_training *training)
{
    training->worthless = true;
    return df_error_set("no pixel of the training masks has a label at %" PRId64 " x %" PRId64
                        ", the size that they are resized to: there is nothing to train",
                        training->setup->model.height, training->setup->model.width);
}

/* All batches of an epoch, or as many as max_steps and an interrupt allow. */
static int train_epoch(struct df_training *training, int64_t epoch)
{
    char label[64];
    struct df_batch batch;
    double loss_sum = 0.0, loss = NAN, started = df_seconds();
    int64_t done = 0, counted = 0, images = 0, total = df_feed_batches(training->train_feed);
    int more = 0, status = -1;

    snprintf(label, sizeof label, "epoch %" PRId64 "/%" PRId64, epoch + 1, training->options.epochs);
    struct df_progress *progress = df_progress_open(stderr, label, total);
    if (df_feed_start(training->train_feed, epoch) != 0)
        goto done;
    while (!*training->stop && !out_of_steps(training) &&
           (more = df_feed_next(training->train_feed, training->segmenter, &batch)) == 1) {
        if (train_batch(training, epoch, &batch, started, &loss) != 0)
            goto done;
        started = df_seconds();
        if (!isnan(loss)) {
            loss_sum += loss;
            counted++;
        }
        images += batch.count;
        df_progress_update(progress, ++done, images, loss);
        bool last = done == total || out_of_steps(training);
        if (last && training->options.debug && validates(training, epoch) &&
            training_write_picture(training, epoch, &batch) != 0)
            goto done;
    }
    if (more < 0)
        goto done;
    if (counted == 0 && done == total) {
        status = no_labels(training);
        goto done;
    }
    status = run_log_epoch(&training->log, counted > 0 ? loss_sum / (double)counted : NAN);
done:
    df_progress_close(progress);
    return status;
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
    if (training->log.n_validations == 1)
        df_labels_report_absent(training->val_set, "validation");
done:
    df_metrics_free(&metrics);
    return status;
}

/* Weights that can be read again, and that the last batch still makes finite logits of: its loss was found
 * before they were changed. */
static int save(struct df_training *training, const char *path)
{
    struct df_segmenter *segmenter = training->segmenter;

    if (df_segmenter_check_parameters(segmenter) != 0 ||
        df_segmenter_forward(segmenter, training->last_count, false, NULL) != 0) {
        training->worthless = true;
        return df_error_context("step %" PRId64
                                ": training diverged and is not saved (a smaller learning rate may help)",
                                training->step);
    }
    return df_checkpoint_save(path, segmenter, &training->record);
}

static int train_all(struct df_training *training)
{
    for (int64_t epoch = 0; epoch < training->options.epochs && !*training->stop && !out_of_steps(training);
         epoch++) {
        DF_TRY(train_epoch(training, epoch));
        if (epoch == 0 && !*training->stop)
            DF_TRY(check_labels(training));
        if (*training->stop || !validates(training, epoch))
            continue;
        /* Before the validation, which may be long: what was trained is safe. */
        DF_TRY(save(training, training->checkpoint_path));
        DF_TRY(validate(training, epoch));
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
 * goes to NAME_stopped.pt. The error's text stays. */
static void rescue(struct df_training *training)
{
    struct df_error reason;

    df_error_keep(&reason);
    char *path = df_run_file(training->files, "_stopped.pt");
    if (path && training->step > 0 && !training->worthless && save(training, path) == 0)
        df_log("stopped after step %" PRId64 "; what was trained until then is %s", training->step, path);
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
    return status;
}
