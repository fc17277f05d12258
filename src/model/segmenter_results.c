/* Predictions, and their loss and confusion matrix. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <assert.h>

int df_segmenter_download_prediction(struct df_segmenter *segmenter, int64_t count, uint8_t *prediction)
{
    return segmenter->backend->ops->download(segmenter->backend, prediction, segmenter->prediction,
                                             (size_t)segmenter_pixels(segmenter, count));
}

/* A buffer for both predictions and the labels of an image of `bytes` pixels. */
static uint8_t *reserve_resized(struct df_segmenter *segmenter, size_t bytes)
{
    struct df_backend *backend = segmenter->backend;

    if (3 * bytes <= segmenter->resized_bytes)
        return segmenter->resized;
    backend->ops->free(backend, segmenter->resized);
    segmenter->resized = backend->ops->alloc(backend, 3 * bytes);
    segmenter->resized_bytes = segmenter->resized ? 3 * bytes : 0;
    return segmenter->resized;
}

static int count_predictions(struct df_backend *backend, const struct df_upsample_loss *work,
                             struct df_comparison *comparison)
{
    const int64_t count = work->height * work->width;

    DF_TRY(backend->ops->confusion_matrix(backend, work->prediction, work->labels, count, work->classes,
                                          comparison->confusion));
    return backend->ops->confusion_matrix(backend, work->sigmoid_prediction, work->labels, count,
                                          work->classes,
                                          df_comparison_of_sigmoids(comparison, work->classes));
}

/* Image i under work, whose logits are still those of the first. */
static int predict_image(struct df_segmenter *segmenter, int64_t i, struct df_upsample_loss *work,
                         uint8_t *prediction, struct df_comparison *comparison)
{
    struct df_backend *backend = segmenter->backend;
    const int64_t count = work->height * work->width;

    work->logits += segmenter_logit_count(segmenter, i);
    work->on_device = comparison ? &comparison->loss : NULL;
    DF_TRY(backend->ops->upsample_loss(backend, work, NULL));
    if (comparison)
        DF_TRY(count_predictions(backend, work, comparison));
    return prediction ? backend->ops->download(backend, prediction, work->prediction, (size_t)count) : 0;
}

int df_segmenter_predict(struct df_segmenter *segmenter, int64_t i, uint8_t *prediction,
                         struct df_comparison *comparison)
{
    struct df_upsample_loss work = segmenter_describe_loss(segmenter, 1);

    work.labels = segmenter->labels + segmenter_pixels(segmenter, i);
    work.prediction = segmenter->prediction + segmenter_pixels(segmenter, i);
    work.sigmoid_prediction = comparison ? segmenter->sigmoid_prediction : NULL;
    return predict_image(segmenter, i, &work, prediction, comparison);
}

int df_segmenter_download_labels(struct df_segmenter *segmenter, int64_t i, uint8_t *labels)
{
    return segmenter->backend->ops->download(segmenter->backend, labels,
                                             segmenter->labels + segmenter_pixels(segmenter, i),
                                             (size_t)segmenter_pixels(segmenter, 1));
}

int df_segmenter_predict_at(struct df_segmenter *segmenter, int64_t i, int64_t height, int64_t width,
                            const uint8_t *labels, uint8_t *prediction, struct df_comparison *comparison)
{
    struct df_backend *backend = segmenter->backend;
    const size_t bytes = (size_t)(height * width);
    struct df_upsample_loss work = segmenter_describe_loss(segmenter, 1);
    uint8_t *device = reserve_resized(segmenter, bytes);

    assert(labels || !comparison);
    if (!device)
        return -1;
    if (labels)
        DF_TRY(backend->ops->upload(backend, device + 2 * bytes, labels, bytes));
    work.height = height;
    work.width = width;
    work.labels = labels ? device + 2 * bytes : NULL;
    work.prediction = device;
    work.sigmoid_prediction = comparison ? device + bytes : NULL;
    return predict_image(segmenter, i, &work, prediction, comparison);
}

int df_segmenter_download_logits(struct df_segmenter *segmenter, int64_t i, float *logits)
{
    struct df_backend *backend = segmenter->backend;
    const struct df_decoder *decoder = segmenter->decoder;
    size_t bytes = (size_t)(decoder->shape.classes * segmenter_pixels(segmenter, 1)) * sizeof *logits;
    float *device = backend->ops->alloc(backend, bytes);
    if (!device)
        return -1;
    int status = backend->ops->upsample_logits(
        backend, decoder->logits + segmenter_logit_count(segmenter, i), device, 1, decoder->logits_h,
        decoder->logits_w, decoder->shape.classes, segmenter->options.height, segmenter->options.width);
    if (status == 0)
        status = backend->ops->download(backend, logits, device, bytes);
    backend->ops->free(backend, device);
    return status;
}
