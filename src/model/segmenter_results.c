/* Predictions, and their loss and confusion matrix. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <assert.h>

int df_segmenter_download_prediction(struct df_segmenter *segmenter, int64_t count, uint8_t *prediction)
{
    return segmenter->backend->ops->download(segmenter->backend, prediction, segmenter->prediction,
                                             (size_t)segmenter_pixels(segmenter, count));
}

#define PIXEL_BYTES (sizeof(float) + 3) /* of the confidence, both predictions and the label */

/* A buffer for these of an image of so many pixels, the confidences first. */
static char *reserve_resized(struct df_segmenter *segmenter, size_t pixels)
{
    struct df_backend *backend = segmenter->backend;

    if (pixels * PIXEL_BYTES <= segmenter->resized_bytes)
        return segmenter->resized;
    backend->ops->free(backend, segmenter->resized);
    segmenter->resized = backend->ops->alloc(backend, pixels * PIXEL_BYTES);
    segmenter->resized_bytes = segmenter->resized ? pixels * PIXEL_BYTES : 0;
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
                         const struct df_wanted *wanted)
{
    struct df_backend *backend = segmenter->backend;
    const size_t count = (size_t)(work->height * work->width);

    work->logits += segmenter_logit_count(segmenter, i);
    work->on_device = wanted->comparison ? &wanted->comparison->loss : NULL;
    DF_TRY(backend->ops->upsample_loss(backend, work, NULL));
    if (wanted->comparison)
        DF_TRY(count_predictions(backend, work, wanted->comparison));
    if (wanted->detailed)
        DF_TRY(df_comparison_add_details(backend, work->confidence, work->prediction, work->labels,
                                         work->height, work->width, work->classes, wanted->comparison));
    if (wanted->confidence)
        DF_TRY(backend->ops->download(backend, wanted->confidence, work->confidence, count * sizeof(float)));
    return wanted->classes ? backend->ops->download(backend, wanted->classes, work->prediction, count) : 0;
}

static bool needs_confidence(const struct df_wanted *wanted)
{
    return wanted->confidence || wanted->detailed;
}

int df_segmenter_predict(struct df_segmenter *segmenter, int64_t i, const struct df_wanted *wanted)
{
    const int64_t pixels = segmenter_pixels(segmenter, 1);
    struct df_upsample_loss work = segmenter_describe_loss(segmenter, 1);

    assert(wanted->comparison || !wanted->detailed);
    work.labels = segmenter->labels + i * pixels;
    work.prediction = segmenter->prediction + i * pixels;
    work.sigmoid_prediction = wanted->comparison ? segmenter->sigmoid_prediction : NULL;
    if (needs_confidence(wanted)) {
        work.confidence = (float *)(void *)reserve_resized(segmenter, (size_t)pixels);
        if (!work.confidence)
            return -1;
    }
    return predict_image(segmenter, i, &work, wanted);
}

int df_segmenter_download_labels(struct df_segmenter *segmenter, int64_t i, uint8_t *labels)
{
    return segmenter->backend->ops->download(segmenter->backend, labels,
                                             segmenter->labels + segmenter_pixels(segmenter, i),
                                             (size_t)segmenter_pixels(segmenter, 1));
}

int df_segmenter_predict_at(struct df_segmenter *segmenter, int64_t i, int64_t height, int64_t width,
                            const uint8_t *labels, const struct df_wanted *wanted)
{
    struct df_backend *backend = segmenter->backend;
    const size_t pixels = (size_t)(height * width);
    struct df_upsample_loss work = segmenter_describe_loss(segmenter, 1);
    char *device = reserve_resized(segmenter, pixels);

    assert((labels || !wanted->comparison) && (wanted->comparison || !wanted->detailed));
    if (!device)
        return -1;
    uint8_t *bytes = (uint8_t *)device + pixels * sizeof(float);
    if (labels)
        DF_TRY(backend->ops->upload(backend, bytes + 2 * pixels, labels, pixels));
    work.height = height;
    work.width = width;
    work.labels = labels ? bytes + 2 * pixels : NULL;
    work.prediction = bytes;
    work.sigmoid_prediction = wanted->comparison ? bytes + pixels : NULL;
    work.confidence = needs_confidence(wanted) ? (float *)(void *)device : NULL;
    return predict_image(segmenter, i, &work, wanted);
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
