#include "dinoft/evaluate.h"

#include "dinoft/error.h"
#include "dinoft/report.h"

#include <math.h>
#include <stdlib.h>

/* Predictions of one batch: room for the largest image at either size. */
struct prediction_buffer {
    uint8_t *pixels;
    size_t size;
};

static int reserve(struct prediction_buffer *buffer, size_t size)
{
    if (size <= buffer->size)
        return 0;
    uint8_t *pixels = realloc(buffer->pixels, size);
    if (!pixels)
        return df_error_memory("predictions", size);
    buffer->pixels = pixels;
    buffer->size = size;
    return 0;
}

static int count_at_network_size(struct df_segmenter *segmenter, const struct df_batch *batch,
                                 struct prediction_buffer *buffer, struct df_metrics *metrics)
{
    int64_t pixels = segmenter->options.height * segmenter->options.width;
    double loss_sum;
    int64_t loss_count;

    DF_TRY(reserve(buffer, (size_t)(batch->count * pixels)));
    DF_TRY(df_segmenter_loss(segmenter, batch->count, false, true, &loss_sum, &loss_count));
    DF_TRY(df_segmenter_download_prediction(segmenter, batch->count, buffer->pixels));
    for (int64_t i = 0; i < batch->count; i++)
        df_metrics_add_image(metrics, buffer->pixels + i * pixels, batch->labels + i * pixels, pixels);
    df_metrics_end_batch(metrics, loss_count > 0 ? loss_sum / (double)loss_count : NAN);
    return 0;
}

static int count_at_original_size(struct df_segmenter *segmenter, const struct df_batch *batch,
                                  struct prediction_buffer *buffer, struct df_metrics *metrics)
{
    double batch_sum = 0.0;
    int64_t batch_count = 0;

    for (int64_t i = 0; i < batch->count; i++) {
        const struct df_image *mask = &batch->masks[i];
        double loss_sum;
        int64_t loss_count;
        DF_TRY(reserve(buffer, (size_t)(mask->height * mask->width)));
        DF_TRY(df_segmenter_predict_at(segmenter, i, mask->height, mask->width, mask->pixels, buffer->pixels,
                                       &loss_sum, &loss_count));
        df_metrics_add_image(metrics, buffer->pixels, mask->pixels, mask->height * mask->width);
        batch_sum += loss_sum;
        batch_count += loss_count;
    }
    df_metrics_end_batch(metrics, batch_count > 0 ? batch_sum / (double)batch_count : NAN);
    return 0;
}

int df_evaluate(struct df_segmenter *segmenter, struct df_feed *feed, bool original, const char *label,
                const volatile sig_atomic_t *stop, struct df_metrics *metrics)
{
    struct prediction_buffer buffer = {0};
    struct df_batch batch;
    int64_t done = 0, images = 0;
    int more = 0, status = -1;
    struct df_progress *progress = df_progress_open(stderr, label, df_feed_batches(feed));

    if (df_feed_start(feed, 0) != 0)
        goto finish;
    while (!(stop && *stop) && (more = df_feed_next(feed, segmenter, &batch)) == 1) {
        if (df_segmenter_forward(segmenter, batch.count, false, NULL) != 0)
            goto finish;
        if (original ? count_at_original_size(segmenter, &batch, &buffer, metrics)
                     : count_at_network_size(segmenter, &batch, &buffer, metrics))
            goto finish;
        images += batch.count;
        df_progress_update(progress, ++done, images, NAN);
    }
    status = more < 0 ? -1 : 0;
finish:
    df_progress_close(progress);
    free(buffer.pixels);
    return status;
}
