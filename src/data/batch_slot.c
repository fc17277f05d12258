#include "batch_slot.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdlib.h>
#include <string.h>

/* Memory for pixels and labels, or for a packed block. */
static int allocate_pixels(struct df_batch_slot *slot, const struct df_loader_options *options, size_t bytes)
{
    const struct df_block_memory *memory = &options->memory;

    if (bytes == 0)
        return 0;
    if (memory->alloc)
        return (slot->packed = memory->alloc(memory->context, options->layout.bytes)) ? 0 : -1;
    slot->pixels = malloc(bytes);
    slot->labels = malloc(bytes / 3);
    return slot->pixels && slot->labels ? 0 : df_error_memory("a batch of images", bytes / 3 * 4);
}

int df_batch_slot_open(struct df_batch_slot *slot, const struct df_loader_options *options, int64_t capacity)
{
    const int64_t shape[] = {capacity, options->height, options->width, 3};
    const size_t count = (size_t)capacity;
    size_t bytes;

    if (!df_shape_count(shape, 4, &bytes))
        return df_error_set("a batch of %lld images of %lld x %lld pixels is too large", (long long)capacity,
                            (long long)options->width, (long long)options->height);
    DF_TRY(allocate_pixels(slot, options, bytes));
    slot->samples = malloc(count * sizeof *slot->samples);
    if (options->originals) {
        slot->images = calloc(count, sizeof *slot->images);
        slot->masks = calloc(count, sizeof *slot->masks);
    }
    if (slot->samples && (!options->originals || (slot->images && slot->masks)))
        return 0;
    return df_error_memory("a batch's samples", count * (sizeof *slot->samples + 2 * sizeof *slot->images));
}

void df_batch_slot_close(struct df_batch_slot *slot, const struct df_loader_options *options,
                         int64_t capacity)
{
    for (int64_t i = 0; slot->images && slot->masks && i < capacity; i++) {
        df_image_free(&slot->images[i]);
        df_image_free(&slot->masks[i]);
    }
    free(slot->images);
    free(slot->masks);
    free(slot->samples);
    free(slot->labels);
    free(slot->pixels);
    if (slot->packed)
        options->memory.free(options->memory.context, slot->packed);
}

/* Fills the image's entry of the block's table; true: it fits into its slot as it is. */
static bool add_entry(const struct df_loader_options *options, const struct df_image *image, size_t offset,
                      struct df_packed_image *entry)
{
    const bool fits = image->width * image->height <= options->layout.slot_pixels;

    entry->offset = (int64_t)offset;
    entry->width = (int32_t)(fits ? image->width : options->width);
    entry->height = (int32_t)(fits ? image->height : options->height);
    return fits;
}

/* For the device to resize. */
static int pack_sample(struct df_batch_slot *slot, const struct df_loader_options *options,
                       const struct df_image *image, const struct df_image *mask, int64_t at)
{
    const struct df_packed_layout *layout = &options->layout;
    const int64_t height = options->height, width = options->width;
    const size_t image_at = df_packed_image_at(layout, at), mask_at = df_packed_mask_at(layout, at);
    struct df_packed_image *images = df_packed_images(slot->packed);
    struct df_packed_image *masks = df_packed_masks(layout, slot->packed);

    if (add_entry(options, mask, mask_at, &masks[at]))
        memcpy(slot->packed + mask_at, mask->pixels, (size_t)(mask->width * mask->height));
    else
        df_resize_nearest(mask, slot->packed + mask_at, width, height);
    if (!add_entry(options, image, image_at, &images[at]))
        return df_resize_linear(image, slot->packed + image_at, width, height);
    memcpy(slot->packed + image_at, image->pixels, 3 * (size_t)(image->width * image->height));
    return 0;
}

/* Where the model's image `at` and its labels are made; in a block they are of its size already, which a
 * device that resizes keeps to the byte. */
static struct df_tile tile_at(struct df_batch_slot *slot, const struct df_loader_options *options, int64_t at)
{
    const struct df_packed_layout *layout = &options->layout;
    const int64_t width = options->width, height = options->height;
    struct df_tile tile = {.width = width, .height = height};

    if (!slot->packed) {
        tile.pixels = slot->pixels + at * height * width * 3;
        tile.labels = slot->labels + at * height * width;
        return tile;
    }
    const struct df_packed_image size = {.width = (int32_t)width, .height = (int32_t)height};
    struct df_packed_image *image = &df_packed_images(slot->packed)[at];
    struct df_packed_image *mask = &df_packed_masks(layout, slot->packed)[at];
    *image = *mask = size;
    image->offset = (int64_t)df_packed_image_at(layout, at);
    mask->offset = (int64_t)df_packed_mask_at(layout, at);
    tile.pixels = slot->packed + image->offset;
    tile.labels = slot->packed + mask->offset;
    return tile;
}

static int fill(struct df_batch_slot *slot, const struct df_loader_options *options,
                const struct df_sample_place *place, const struct df_image *image,
                const struct df_image *mask, int64_t at)
{
    if (!slot->packed && !slot->pixels)
        return 0;
    if (slot->packed && !df_augment_changes(&options->augment))
        return pack_sample(slot, options, image, mask, at);
    const struct df_tile tile = tile_at(slot, options, at);
    return df_sample_tile(options, place, image, mask, &tile);
}

/* Hands the image over to the slot. */
static void keep(struct df_image *kept, struct df_image *image)
{
    df_image_free(kept);
    *kept = *image;
}

int df_batch_slot_load(struct df_batch_slot *slot, const struct df_loader_options *options,
                       const struct df_sample_place *place, int64_t at)
{
    struct df_image image, mask;

    slot->samples[at] = place->sample;
    DF_TRY(df_sample_read(options, place->dataset, place->sample, &image, &mask));
    const int status = fill(slot, options, place, &image, &mask, at);
    if (slot->images) {
        keep(&slot->images[at], &image);
        keep(&slot->masks[at], &mask);
    } else {
        df_image_free(&image);
        df_image_free(&mask);
    }
    return status;
}
