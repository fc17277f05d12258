#include "float_image.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>

static int64_t value_count(const struct float_image *image)
{
    return image->width * image->height * image->channels;
}

int float_image_alloc(struct float_image *image, int64_t width, int64_t height, int channels)
{
    const int64_t shape[4] = {height, width, channels, sizeof(float)};
    size_t bytes;

    *image = (struct float_image){width, height, channels, NULL};
    if (df_shape_count(shape, 4, &bytes))
        image->pixels = malloc(bytes);
    return image->pixels ? 0
                         : df_error_memory("an image", (unsigned long long)(width * height * channels) * 4);
}

void float_image_free(struct float_image *image)
{
    free(image->pixels);
    *image = (struct float_image){0};
}

int float_image_from_bytes(struct float_image *image, const struct df_image *bytes, float scale)
{
    DF_TRY(float_image_alloc(image, bytes->width, bytes->height, bytes->channels));
    for (int64_t i = 0; i < value_count(image); i++)
        image->pixels[i] = (float)bytes->pixels[i] * scale;
    return 0;
}

void float_image_to_bytes(const struct float_image *image, float scale, struct df_image *bytes)
{
    const float most = 255.0f / scale;

    assert(image->width == bytes->width && image->height == bytes->height &&
           image->channels == bytes->channels);
    for (int64_t i = 0; i < value_count(image); i++) {
        const float value = image->pixels[i];
        bytes->pixels[i] = (uint8_t)((value < 0.0f ? 0.0f : value > most ? most : value) * scale);
    }
}
