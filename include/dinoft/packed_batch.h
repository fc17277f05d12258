/* A batch of images and masks as they were decoded, each of its own size, for a device that resizes them.
 * They lie in one block, the same way on the host and on the device: a table of where the images are, one of
 * where the masks are, then a slot for the pixels of each. Who reads files and what a device does with the
 * block know of each other only this. */
#ifndef DINOFT_PACKED_BATCH_H
#define DINOFT_PACKED_BATCH_H

#include <stddef.h>
#include <stdint.h>

/* An image of more than so many times the model's pixels is not worth its upload to the device: it is resized
 * before. */
#define DF_PACKED_PIXELS_MOST 2

/* Where an image or a mask is in a block: [height, width] pixels from byte `offset` on. */
struct df_packed_image {
    int64_t offset;
    int32_t width, height;
};

struct df_packed_layout {
    int64_t batch;
    int64_t slot_pixels;              /* that an image or a mask may have */
    size_t mask_table, images, masks; /* where these begin; the block begins with the images' table */
    size_t bytes;                     /* of the block */
};

/* For a model whose images are height x width. -1 with the error set if the block's size is no number. */
int df_packed_layout_init(struct df_packed_layout *layout, int64_t batch, int64_t height, int64_t width);

/* The tables [batch] of a block, on the host or the device. */
static inline struct df_packed_image *df_packed_images(uint8_t *block)
{
    return (struct df_packed_image *)(void *)block;
}

static inline struct df_packed_image *df_packed_masks(const struct df_packed_layout *layout, uint8_t *block)
{
    return (struct df_packed_image *)(void *)(block + layout->mask_table);
}

/* Where the pixels of image i or mask i begin. */
static inline size_t df_packed_image_at(const struct df_packed_layout *layout, int64_t i)
{
    return layout->images + (size_t)i * 3 * (size_t)layout->slot_pixels;
}

static inline size_t df_packed_mask_at(const struct df_packed_layout *layout, int64_t i)
{
    return layout->masks + (size_t)i * (size_t)layout->slot_pixels;
}

#endif
