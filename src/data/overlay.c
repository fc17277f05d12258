#include "dinoft/overlay.h"

#include "dinoft/error.h"

#include <inttypes.h>

#define NO_CLASS 255 /* keeps the image */

int df_overlay(const struct df_image *image, const struct df_image *classes, const uint8_t palette[256][3],
               struct df_image *result)
{
    if (image->channels != 3 || classes->channels != 1 || image->width != classes->width ||
        image->height != classes->height)
        return df_error_set(
            "overlay: an image of %" PRId64 " x %" PRId64 " (%d channels) and classes of %" PRId64
            " x %" PRId64 " (%d channels) do not fit",
            image->height, image->width, image->channels, classes->height, classes->width, classes->channels);
    DF_TRY(df_image_alloc(result, image->width, image->height, 3));
    int64_t count = image->width * image->height;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t class_index = classes->pixels[i];
        const uint8_t *source = image->pixels + 3 * i;
        const uint8_t *color = class_index == NO_CLASS ? source : palette[class_index];
        for (int c = 0; c < 3; c++)
            result->pixels[3 * i + c] = (uint8_t)((source[c] + color[c] + 1) / 2);
    }
    return 0;
}
