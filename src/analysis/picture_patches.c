#include "dinoft/feature_picture.h"

#include "color_bytes.h"

#include "dinoft/error.h"

#include <string.h>

static void color_row(const float *colors, int64_t w, uint8_t *pixels, int64_t width)
{
    for (int64_t x = 0; x < width; x++) {
        const float *color = colors + x * w / width * DF_PATCH_COLORS;
        for (int c = 0; c < 3; c++)
            pixels[3 * x + c] = df_color_byte(color[c]);
    }
}

int df_picture_patches(const float *colors, int64_t h, int64_t w, int64_t height, int64_t width,
                       struct df_image *picture)
{
    const size_t row_bytes = (size_t)width * 3;

    DF_TRY(df_image_alloc(picture, width, height, 3));
    for (int64_t y = 0; y < height; y++) {
        const int64_t patch = y * h / height;
        uint8_t *row = picture->pixels + (size_t)y * row_bytes;
        if (y > 0 && patch == (y - 1) * h / height)
            memcpy(row, row - row_bytes, row_bytes);
        else
            color_row(colors + patch * w * DF_PATCH_COLORS, w, row, width);
    }
    return 0;
}
