#include "bench_batch.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/rng.h"

#include <stdlib.h>
#include <string.h>

static void fill(struct bench_batch *batch, int64_t count, int64_t classes, uint64_t seed)
{
    struct df_rng rng;

    df_rng_seed(&rng, seed, df_hash_text("bench"));
    for (int64_t i = 0; i < 3 * count; i++)
        batch->pixels[i] = (uint8_t)df_rng_below(&rng, 256);
    for (int64_t i = 0; i < count; i++) {
        const int64_t cell = i / 40 % (classes + 1);
        batch->labels[i] = cell == classes ? DF_IGNORE_LABEL : (uint8_t)cell;
    }
}

/* Images and masks of the model's own size. */
static int pack(struct bench_batch *batch, const struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = df_segmenter_made_with(segmenter);
    const struct df_packed_layout *layout = df_segmenter_packing(segmenter);
    const int64_t height = options->height, width = options->width, area = height * width;

    batch->device = df_segmenter_backend(segmenter);
    batch->packed = batch->device->ops->host_alloc(batch->device, layout->bytes);
    if (!batch->packed)
        return -1;
    struct df_packed_image *images = df_packed_images(batch->packed);
    struct df_packed_image *masks = df_packed_masks(layout, batch->packed);
    for (int64_t i = 0; i < layout->batch; i++) {
        const size_t image_at = df_packed_image_at(layout, i), mask_at = df_packed_mask_at(layout, i);
        images[i] = (struct df_packed_image){(int64_t)image_at, (int32_t)width, (int32_t)height};
        masks[i] = (struct df_packed_image){(int64_t)mask_at, (int32_t)width, (int32_t)height};
        memcpy(batch->packed + image_at, batch->pixels + 3 * i * area, 3 * (size_t)area);
        memcpy(batch->packed + mask_at, batch->labels + i * area, (size_t)area);
    }
    return 0;
}

int bench_batch_open(struct bench_batch *batch, const struct df_segmenter *segmenter, uint64_t seed)
{
    const struct df_segmenter_options *options = df_segmenter_made_with(segmenter);
    const int64_t count = options->max_batch * options->height * options->width;

    memset(batch, 0, sizeof *batch);
    batch->pixels = malloc((size_t)(3 * count));
    batch->labels = malloc((size_t)count);
    if (!batch->pixels || !batch->labels)
        return df_error_memory("a batch", (unsigned long long)(4 * count));
    fill(batch, count, options->classes, seed);
    return options->packed ? pack(batch, segmenter) : 0;
}

void bench_batch_close(struct bench_batch *batch)
{
    if (batch->packed)
        batch->device->ops->host_free(batch->device, batch->packed);
    free(batch->pixels);
    free(batch->labels);
    memset(batch, 0, sizeof *batch);
}

int bench_batch_load(struct bench_batch *batch, struct df_segmenter *segmenter)
{
    const int64_t count = df_segmenter_made_with(segmenter)->max_batch;

    if (!batch->packed)
        return df_segmenter_load_pixels(segmenter, count, batch->pixels, batch->labels);
    if (!batch->under_way)
        DF_TRY(df_segmenter_send(segmenter, count, batch->packed));
    DF_TRY(df_segmenter_receive(segmenter, count, batch->packed));
    batch->under_way = true;
    return df_segmenter_send(segmenter, count, batch->packed);
}
