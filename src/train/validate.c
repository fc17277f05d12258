/* A validation, and who hears of it. */
#include "training.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/evaluate.h"
#include "dinoft/label_checks.h"

static int show_sample(void *context, const struct df_prediction *prediction)
{
    struct df_training *training = context;

    if (prediction->classes)
        observers_sample(&training->observers, prediction);
    return 0;
}

static void show_progress(void *context, int64_t done, int64_t batches, int64_t images)
{
    struct df_training *training = context;

    observers_validating(&training->observers, done, batches, images);
}

static int measure(struct df_training *training, struct df_metrics *metrics)
{
    const struct df_evaluation evaluation = {
        .batch_size = training->options.batch_size,
        .maps = observers_want_samples(&training->observers) ? DF_SAMPLES_SEEN : 0,
        .images = training->val_set->count,
        .stop = training->stop,
        .observe = show_sample,
        .progress = show_progress,
        .inference = training->inference,
        .context = training,
    };

    return df_evaluate(training->segmenter, training->val_feed, &evaluation, metrics);
}

/* One by one, in their own ratio, and then ready for training's batches again, whatever has happened. The
 * last batch of training is gone then: what is saved is checked without it. */
static int measure_whole(struct df_training *training, struct df_metrics *metrics)
{
    const struct df_segmenter_options model = *df_segmenter_made_with(training->segmenter);
    struct df_error reason;

    training->last_count = 0;
    DF_TRY(df_segmenter_set_batch(training->segmenter, 1, model.height, model.width));
    const int status = measure(training, metrics);
    df_error_keep(&reason);
    const int restored =
        df_segmenter_set_batch(training->segmenter, model.max_batch, model.height, model.width);
    if (status != 0)
        df_error_again(&reason);
    return status != 0 ? status : restored;
}

static int log_scores(struct df_training *training, const struct df_metrics *metrics,
                      const struct df_scores *scores)
{
    double class_iou[DF_MAX_CLASSES];
    const struct run_validation validation = {
        .epoch = training->place.epoch + 1,
        .loss = scores->loss,
        .miou = scores->miou,
        .pixel_accuracy = scores->pixel_accuracy,
        .reference_iou = scores->reference_iou,
        .reference_miou = scores->reference_miou,
        .class_iou = class_iou,
    };

    for (int i = 0; i < metrics->n_classes; i++) {
        struct df_class_scores class_scores;
        df_metrics_class(metrics, i, &class_scores);
        class_iou[i] = class_scores.iou;
    }
    return run_log_validation(&training->log, &validation);
}

static void tell(struct df_training *training, const struct df_metrics *metrics,
                 const struct df_scores *scores, double seconds)
{
    const struct df_best_so_far *best = &training->best;
    const struct df_validation_seen validation = {
        .epoch = training->place.epoch + 1,
        .step = training->finished,
        .train_loss = training->log.train_loss[training->log.n_epochs - 1],
        .seconds = seconds,
        .metrics = metrics,
        .scores = scores,
        .is_best = best->epoch == training->place.epoch,
        .best = best->score,
        .best_epoch = best->epoch + 1,
    };

    observers_validation(&training->observers, &validation);
}

int training_validate(struct df_training *training)
{
    const double started = df_seconds();
    struct df_metrics metrics;
    struct df_scores scores;
    int status = -1;

    if (df_metrics_init(&metrics, training->val_set->n_classes,
                        training->val_set->reference_void_is_background) != 0)
        return -1;
    if ((training->inference ? measure_whole(training, &metrics) : measure(training, &metrics)) != 0)
        goto done;
    if (*training->stop) { /* a part of the images would be a wrong number */
        status = 0;
        goto done;
    }
    df_metrics_scores(&metrics, &scores);
    if (log_scores(training, &metrics, &scores) != 0 ||
        training_judge(training, training->place.epoch, &scores) != 0)
        goto done;
    tell(training, &metrics, &scores, df_seconds() - started);
    if (training->log.n_validations == 1)
        df_labels_report_absent(training->val_set, "validation");
    status = 0;
done:
    df_metrics_free(&metrics);
    return status;
}
