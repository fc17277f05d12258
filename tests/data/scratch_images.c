#include "data/scratch_images.h"
#include "support/cmocka_all.h"
#include "support/scratch.h"

#include "dinoft/image.h"

#include <string.h>

void scratch_image(const char *name, int width, int height, int shade)
{
    struct df_image image;
    const char *path = scratch_path(name);

    assert_int_equal(df_image_alloc(&image, width, height, 3), 0);
    memset(image.pixels, shade, (size_t)(3 * width * height));
    assert_int_equal(strstr(name, ".png") ? df_png_write_rgb(path, &image) : df_jpeg_write(path, &image, 95),
                     0);
    df_image_free(&image);
}

void scratch_mask(const char *name, int width, int height, int label)
{
    static const uint8_t palette[256][3];
    struct df_image mask;

    assert_int_equal(df_image_alloc(&mask, width, height, 1), 0);
    memset(mask.pixels, label, (size_t)(width * height));
    assert_int_equal(df_png_write_palette(scratch_path(name), &mask, palette), 0);
    df_image_free(&mask);
}
