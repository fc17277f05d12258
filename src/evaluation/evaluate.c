#include "dinoft/evaluate.h"

#include "dinoft/error.h"
#include "dinoft/progress.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

struct run {
    struct df_segmenter *segmenter;
    const struct df_evaluation *evaluation;
    struct df_metrics *metrics;
    int64_t *confusion;        /* of one image */
    uint8_t *classes, *labels; /* of one image, where they are stored nowhere else */
    size_t capacity;           /* bytes of each */
    double loss_sum;           /* of the current batch */
    int64_t loss_count;
    int64_t labelled; /* pixels, of all batches */
};

static int reserve(struct run *run, size_t bytes)
{
    if (bytes <= run->capacity)
        return 0;
    free(run->classes);
    free(run->labels);
    run->classes = malloc(bytes);
    run->labels = malloc(bytes);
    run->capacity = run->classes && run->labels ? bytes : 0;
    return run->capacity ? 0 : df_error_memory("predictions", 2 * bytes);
}

/* The size at which image i is measured. */
static void choose_size(const struct run *run, const struct df_batch *batch, int64_t i,
                        struct df_prediction *prediction)
{
    const struct df_evaluation *evaluation = run->evaluation;
    const struct df_segmenter_options *model = df_segmenter_made_with(run->segmenter);

    prediction->height = model->height;
    prediction->width = model->width;
    if (evaluation->original) {
        prediction->height = batch->masks[i].height;
        prediction->width = batch->masks[i].width;
    } else if (evaluation->inference) {
        df_inference_size(evaluation->inference, &batch->images[i], &prediction->height, &prediction->width);
    }
}

/* Its labels at that size, where they are needed on the host. */
static int choose_labels(struct run *run, const struct df_batch *batch, int64_t i,
                         struct df_prediction *prediction)
{
    const struct df_evaluation *evaluation = run->evaluation;

    if (evaluation->maps || evaluation->inference)
        DF_TRY(reserve(run, (size_t)(prediction->height * prediction->width)));
    if (evaluation->original) {
        prediction->labels = batch->masks[i].pixels;
        return 0;
    }
    if (evaluation->inference)
        df_resize_nearest(&batch->masks[i], run->labels, prediction->width, prediction->height);
    else if (evaluation->maps)
        DF_TRY(df_segmenter_download_labels(run->segmenter, i, run->labels));
    else
        return 0;
    prediction->labels = run->labels;
    return 0;
}

static int predict(struct run *run, const struct df_batch *batch, int64_t i,
                   const struct df_prediction *prediction, struct df_comparison *comparison)
{
    const struct df_evaluation *evaluation = run->evaluation;
    uint8_t *classes = evaluation->maps ? run->classes : NULL;

    if (evaluation->inference)
        return df_inference_predict(evaluation->inference, &batch->images[i], prediction->height,
                                    prediction->width, prediction->labels, classes, comparison);
    if (evaluation->original)
        return df_segmenter_predict_at(run->segmenter, i, prediction->height, prediction->width,
                                       prediction->labels, classes, comparison);
    return df_segmenter_predict(run->segmenter, i, classes, comparison);
}

static int measure_image(struct run *run, const struct df_batch *batch, int64_t i)
{
    const struct df_evaluation *evaluation = run->evaluation;
    struct df_comparison comparison = {.confusion = run->confusion};
    struct df_prediction prediction = {.sample = batch->samples[i],
                                       .image = batch->images ? &batch->images[i] : NULL,
                                       .confusion = run->confusion};

    choose_size(run, batch, i, &prediction);
    DF_TRY(choose_labels(run, batch, i, &prediction));
    DF_TRY(predict(run, batch, i, &prediction, &comparison));
    df_metrics_add_image(run->metrics, run->confusion);
    if (comparison.loss_count > 0 && !isfinite(comparison.loss_sum))
        return df_error_set("the loss is not a finite number: the model's weights are damaged, or too large");
    run->loss_sum += comparison.loss_sum;
    run->loss_count += comparison.loss_count;
    if (!evaluation->observe)
        return 0;
    prediction.classes = run->classes;
    if (!evaluation->maps)
        prediction.classes = prediction.labels = NULL;
    prediction.loss = comparison.loss_count > 0 ? comparison.loss_sum / (double)comparison.loss_count : NAN;
    return evaluation->observe(evaluation->context, &prediction);
}

static int measure_batch(struct run *run, const struct df_batch *batch)
{
    run->loss_sum = 0.0;
    run->loss_count = 0;
    if (!run->evaluation->inference)
        DF_TRY(df_segmenter_forward(run->segmenter, batch->count, false, NULL));
    for (int64_t i = 0; i < batch->count; i++)
        DF_TRY(measure_image(run, batch, i));
    run->labelled += run->loss_count;
    df_metrics_end_batch(run->metrics, run->loss_count > 0 ? run->loss_sum / (double)run->loss_count : NAN);
    return 0;
}

int df_evaluate(struct df_segmenter *segmenter, struct df_feed *feed, const struct df_evaluation *evaluation,
                struct df_metrics *metrics)
{
    struct run run = {.segmenter = segmenter, .evaluation = evaluation, .metrics = metrics};
    struct df_batch batch;
    int64_t done = 0, images = 0;
    int more = 0, status = -1;
    struct df_progress *progress = df_progress_open(stderr, evaluation->label, df_feed_batches(feed));
    const int64_t classes = df_segmenter_made_with(segmenter)->classes;
    assert(metrics->n_classes == classes);
    const size_t bytes = df_confusion_count(classes) * sizeof *run.confusion;

    run.confusion = malloc(bytes);
    if (!run.confusion) {
        df_error_memory("the confusion matrix of an image", bytes);
        goto finish;
    }
    if (df_feed_start(feed, 0) != 0)
        goto finish;
    while (!(evaluation->stop && *evaluation->stop) && (more = df_feed_next(feed, segmenter, &batch)) == 1) {
        if (measure_batch(&run, &batch) != 0)
            goto finish;
        images += batch.count;
        df_progress_update(progress, ++done, images, NAN);
    }
    if (more < 0)
        goto finish;
    status = 0;
    if (run.labelled == 0 && done == df_feed_batches(feed))
        status = df_error_set("no pixel of the %" PRId64 " images has a label at the size at which they are "
                              "measured: there is nothing to measure",
                              images);
finish:
    df_progress_close(progress);
    free(run.confusion);
    free(run.classes);
    free(run.labels);
    return status;
}
