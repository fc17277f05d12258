/* Uploading batches to the model. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <assert.h>
#include <string.h>

int df_segmenter_load_labels(struct df_segmenter *segmenter, int64_t count, const uint8_t *labels)
{
    assert(count >= 1 && count <= segmenter->options.max_batch);
    if (!labels)
        return 0;
    assert(segmenter->decoder);
    return segmenter->backend->ops->upload(segmenter->backend, segmenter->labels, labels,
                                           (size_t)segmenter_pixels(segmenter, count));
}

int df_segmenter_load_pixels(struct df_segmenter *segmenter, int64_t count, const uint8_t *pixels,
                             const uint8_t *labels)
{
    struct df_backend *backend = segmenter->backend;
    const struct df_segmenter_options *options = &segmenter->options;

    assert(segmenter->vit);
    segmenter->features_loaded = false;
    DF_TRY(df_segmenter_load_labels(segmenter, count, labels));
    DF_TRY(backend->ops->upload(backend, segmenter->pixels, pixels,
                                (size_t)(3 * segmenter_pixels(segmenter, count))));
    return backend->ops->image_normalize(backend, segmenter->pixels, segmenter->image, count, options->height,
                                         options->width, options->mean, options->std);
}

/* The parts of the block that hold something. */
int df_segmenter_send(struct df_segmenter *segmenter, int64_t count, const uint8_t *packed)
{
    struct df_backend *backend = segmenter->backend;
    const struct df_packed_layout *layout = &segmenter->packing;
    const struct df_packed_image *images = df_packed_images((uint8_t *)packed);
    const struct df_packed_image *masks = df_packed_masks(layout, (uint8_t *)packed);

    assert(segmenter->incoming && count >= 1 && count <= segmenter->options.max_batch);
    segmenter->sent = packed;
    DF_TRY(backend->ops->send(backend, segmenter->incoming, packed, layout->images));
    for (int64_t i = 0; i < count; i++) {
        const size_t pixels = (size_t)images[i].width * (size_t)images[i].height;
        const size_t mask_pixels = (size_t)masks[i].width * (size_t)masks[i].height;
        DF_TRY(backend->ops->send(backend, segmenter->incoming + images[i].offset, packed + images[i].offset,
                                  3 * pixels));
        DF_TRY(backend->ops->send(backend, segmenter->incoming + masks[i].offset, packed + masks[i].offset,
                                  mask_pixels));
    }
    return 0;
}

int df_segmenter_receive(struct df_segmenter *segmenter, int64_t count, const uint8_t *packed)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_packed_batch batch = {
        .count = count,
        .height = options->height,
        .width = options->width,
        .block = segmenter->incoming,
        .images = df_packed_images(segmenter->incoming),
        .masks = df_packed_masks(&segmenter->packing, segmenter->incoming),
    };

    assert(segmenter->sent == packed);
    segmenter->sent = NULL;
    segmenter->features_loaded = false;
    memcpy(batch.mean, options->mean, sizeof batch.mean);
    memcpy(batch.std, options->std, sizeof batch.std);
    return segmenter->backend->ops->resize_batch(segmenter->backend, &batch, segmenter->image,
                                                 segmenter->labels);
}
