#include "sample_images.h"

#include "dinoft/error.h"

#include <string.h>

static int copy_map(struct df_image *map, const struct df_prediction *prediction, const uint8_t *classes)
{
    if (map->width != prediction->width || map->height != prediction->height) {
        df_image_free(map);
        DF_TRY(df_image_alloc(map, prediction->width, prediction->height, 1));
    }
    memcpy(map->pixels, classes, (size_t)(prediction->width * prediction->height));
    return 0;
}

/* The place of an image, which may be a new one; NULL: there is no room. */
static struct sample_image *place_of(struct sample_images *images, int64_t sample)
{
    for (int i = 0; i < images->count; i++) {
        if (images->items[i].sample == sample)
            return &images->items[i];
    }
    if (images->count == DF_SAMPLES_SEEN)
        return NULL;
    images->items[images->count] = (struct sample_image){.sample = sample};
    return &images->items[images->count++];
}

int sample_images_add(struct sample_images *images, const struct df_prediction *prediction)
{
    struct sample_image *item = place_of(images, prediction->sample);

    if (!item)
        return 0;
    if (!item->image.pixels)
        DF_TRY(df_dataset_read(images->set, prediction->sample, &item->image, NULL));
    DF_TRY(copy_map(&item->label, prediction, prediction->labels));
    return copy_map(&item->prediction, prediction, prediction->classes);
}

void sample_images_free(struct sample_images *images)
{
    for (int i = 0; i < images->count; i++) {
        df_image_free(&images->items[i].image);
        df_image_free(&images->items[i].label);
        df_image_free(&images->items[i].prediction);
    }
    images->count = 0;
}
