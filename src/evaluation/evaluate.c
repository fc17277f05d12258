#include "dinoft/evaluate.h"

#include "dinoft/error.h"
#include "dinoft/progress.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

struct run {
    struct df_segmenter *segmenter;
    struct df_backend *backend; /* the segmenter's */
    const struct df_evaluation *evaluation;
    struct df_metrics *metrics;
    size_t comparison_bytes;
    int64_t most_comparisons;
    char *on_device, *fetched; /* [most_comparisons]: the device's, and the host's copy */
    uint8_t *classes, *labels; /* of one image, where they are stored nowhere else */
    size_t capacity;           /* bytes of each */
    double loss_sum;           /* of the metrics' current batch */
    int64_t loss_count;
    int64_t labelled; /* pixels, of all batches */
};

/* Room for those of a batch. It may have more images than the model sees at once. */
static int reserve_comparisons(struct run *run, int64_t count)
{
    struct df_backend *backend = run->backend;

    if (count <= run->most_comparisons)
        return 0;
    free(run->fetched);
    backend->ops->free(backend, run->on_device);
    run->most_comparisons = 0;
    run->fetched = malloc((size_t)count * run->comparison_bytes);
    run->on_device = backend->ops->alloc(backend, (size_t)count * run->comparison_bytes);
    if (!run->on_device)
        return df_error_context("the confusion matrices of a batch");
    if (!run->fetched)
        return df_error_memory("the confusion matrices of a batch", (size_t)count * run->comparison_bytes);
    run->most_comparisons = count;
    return 0;
}

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

/* Whether observers see the maps of an image of the data set. */
static bool wants_maps(const struct run *run, int64_t sample)
{
    const struct df_evaluation *evaluation = run->evaluation;

    return evaluation->maps > 0 && sample * evaluation->maps % evaluation->images < evaluation->maps;
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
    const bool maps = wants_maps(run, batch->samples[i]);

    if (maps || evaluation->inference)
        DF_TRY(reserve(run, (size_t)(prediction->height * prediction->width)));
    if (evaluation->original) {
        prediction->labels = batch->masks[i].pixels;
        return 0;
    }
    if (evaluation->inference)
        df_resize_nearest(&batch->masks[i], run->labels, prediction->width, prediction->height);
    else if (maps)
        DF_TRY(df_segmenter_download_labels(run->segmenter, i, run->labels));
    else
        return 0;
    prediction->labels = run->labels;
    return 0;
}

static int predict(struct run *run, const struct df_batch *batch, int64_t i,
                   const struct df_prediction *prediction)
{
    const struct df_evaluation *evaluation = run->evaluation;
    const struct df_wanted wanted = {
        .classes = wants_maps(run, batch->samples[i]) ? run->classes : NULL,
        .comparison = (struct df_comparison *)(void *)(run->on_device + (size_t)i * run->comparison_bytes),
        .detailed = evaluation->detailed,
    };

    if (evaluation->inference)
        return df_inference_predict(evaluation->inference, &batch->images[i], prediction->height,
                                    prediction->width, prediction->labels, &wanted);
    if (evaluation->original)
        return df_segmenter_predict_at(run->segmenter, i, prediction->height, prediction->width,
                                       prediction->labels, &wanted);
    return df_segmenter_predict(run->segmenter, i, &wanted);
}

/* Where the metrics' batch has any image. */
static void end_batch(struct run *run)
{
    if (run->metrics->batch_images == 0)
        return;
    df_metrics_end_batch(run->metrics, run->loss_count > 0 ? run->loss_sum / (double)run->loss_count : NAN);
    run->labelled += run->loss_count;
    run->loss_sum = 0.0;
    run->loss_count = 0;
}

/* Counts what was fetched of an image, and shows it to the observer. */
static int count_image(struct run *run, int64_t i, struct df_prediction *prediction)
{
    const struct df_evaluation *evaluation = run->evaluation;
    struct df_comparison *comparison =
        (struct df_comparison *)(void *)(run->fetched + (size_t)i * run->comparison_bytes);
    const int64_t *of_sigmoids = df_comparison_of_sigmoids(comparison, run->metrics->n_classes);
    const struct df_loss_sum *loss = &comparison->loss;

    df_metrics_add_image(run->metrics, comparison->confusion, of_sigmoids);
    if (evaluation->detailed)
        df_metrics_add_details(run->metrics, comparison->calibration,
                               df_comparison_boundaries(comparison, run->metrics->n_classes));
    if (loss->count > 0 && !isfinite(loss->sum))
        return df_error_set("the loss is not a finite number: the model's weights are damaged, or too large");
    run->loss_sum += loss->sum;
    run->loss_count += loss->count;
    if (run->metrics->batch_images == evaluation->batch_size)
        end_batch(run);
    if (!evaluation->observe)
        return 0;
    prediction->confusion = comparison->confusion;
    prediction->of_sigmoids = of_sigmoids;
    prediction->classes = run->classes;
    if (!wants_maps(run, prediction->sample))
        prediction->classes = prediction->labels = NULL;
    prediction->loss = loss->count > 0 ? loss->sum / (double)loss->count : NAN;
    return evaluation->observe(evaluation->context, prediction);
}

/* Images first … first + count - 1, which are predicted before the comparisons of all are fetched. */
static int measure_images(struct run *run, const struct df_batch *batch, int64_t first, int64_t count)
{
    const size_t offset = (size_t)first * run->comparison_bytes;
    struct df_prediction prediction;

    for (int64_t i = first; i < first + count; i++) {
        prediction = (struct df_prediction){0};
        choose_size(run, batch, i, &prediction);
        DF_TRY(choose_labels(run, batch, i, &prediction));
        DF_TRY(predict(run, batch, i, &prediction));
    }
    DF_TRY(run->backend->ops->download(run->backend, run->fetched + offset, run->on_device + offset,
                                       (size_t)count * run->comparison_bytes));
    for (int64_t i = first; i < first + count; i++) {
        prediction.sample = batch->samples[i];
        prediction.image = batch->images ? &batch->images[i] : NULL;
        choose_size(run, batch, i, &prediction);
        DF_TRY(count_image(run, i, &prediction));
    }
    return 0;
}

/* Images from `first` on that can be predicted before they are looked at: maps have room for one. */
static int64_t together(const struct run *run, const struct df_batch *batch, int64_t first)
{
    int64_t end = first;

    while (end < batch->count && !wants_maps(run, batch->samples[end]))
        end++;
    return end > first ? end - first : 1;
}

static int measure_batch(struct run *run, const struct df_batch *batch)
{
    int64_t count;

    DF_TRY(reserve_comparisons(run, batch->count));
    if (!run->evaluation->inference)
        DF_TRY(df_segmenter_forward(run->segmenter, batch->count, false, NULL));
    for (int64_t i = 0; i < batch->count; i += count) {
        count = together(run, batch, i);
        DF_TRY(measure_images(run, batch, i, count));
    }
    if (run->evaluation->batch_size == 0)
        end_batch(run);
    return 0;
}

static void show_progress(const struct run *run, struct df_progress *progress, int64_t done, int64_t batches,
                          int64_t images)
{
    const struct df_evaluation *evaluation = run->evaluation;

    if (done > 0)
        df_progress_update(progress, done, images, NAN);
    if (evaluation->progress)
        evaluation->progress(evaluation->context, done, batches, images);
}

int df_evaluate(struct df_segmenter *segmenter, struct df_feed *feed, const struct df_evaluation *evaluation,
                struct df_metrics *metrics)
{
    struct run run = {.segmenter = segmenter,
                      .backend = df_segmenter_backend(segmenter),
                      .evaluation = evaluation,
                      .metrics = metrics};
    struct df_batch batch;
    const int64_t batches = df_feed_batches(feed);
    int64_t done = 0, images = 0;
    int more = 0, status = -1;
    struct df_progress *progress =
        evaluation->label ? df_progress_open(stderr, evaluation->label, batches) : NULL;
    assert(metrics->n_classes == df_segmenter_made_with(segmenter)->classes);

    df_progress_expect(progress, evaluation->later_steps);
    df_progress_expect_seconds(progress, evaluation->later_seconds);
    run.comparison_bytes = df_comparison_bytes(metrics->n_classes);
    run.backend->evaluations++;
    run.backend->transient = evaluation->inference != NULL;
    if (df_feed_start(feed, 0, 0) != 0)
        goto finish;
    show_progress(&run, progress, 0, batches, 0);
    while (!(evaluation->stop && *evaluation->stop) && (more = df_feed_next(feed, segmenter, &batch)) == 1) {
        if (measure_batch(&run, &batch) != 0)
            goto finish;
        images += batch.count;
        show_progress(&run, progress, ++done, batches, images);
    }
    if (more < 0)
        goto finish;
    end_batch(&run); /* the last one, which may be smaller */
    status = 0;
    if (run.labelled == 0 && done == batches)
        status = df_error_set("no pixel of the %" PRId64 " images has a label at the size at which they are "
                              "measured: there is nothing to measure",
                              images);
finish:
    df_progress_close(progress);
    run.backend->transient = false;
    run.backend->ops->free(run.backend, run.on_device);
    free(run.fetched);
    free(run.classes);
    free(run.labels);
    return status;
}
