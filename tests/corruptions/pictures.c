#include "corruptions/pictures.h"
#include "support/scratch.h"

struct df_image blank(int channels)
{
    struct df_image image;

    assert_int_equal(df_image_alloc(&image, PICTURE_WIDTH, PICTURE_HEIGHT, channels), 0);
    return image;
}

struct df_image rings(void)
{
    struct df_image image = blank(1);

    for (int y = 0; y < PICTURE_HEIGHT; y++)
        for (int x = 0; x < PICTURE_WIDTH; x++)
            image.pixels[y * PICTURE_WIDTH + x] = (uint8_t)((x * x + 2 * y * y) / 6);
    return image;
}

struct df_image colours(void)
{
    struct df_image image = blank(3);

    for (int y = 0; y < PICTURE_HEIGHT; y++)
        for (int x = 0; x < PICTURE_WIDTH; x++)
            for (int c = 0; c < 3; c++)
                image.pixels[(y * PICTURE_WIDTH + x) * 3 + c] =
                    (uint8_t)((x * x * (c + 1) + y * x * 5 + y * y * 7) / 8 + c * 83);
    return image;
}

struct float_image offsets(int factor_x, int factor_y)
{
    struct float_image plane;

    assert_int_equal(float_image_alloc(&plane, PICTURE_WIDTH, PICTURE_HEIGHT, 1), 0);
    for (int y = 0; y < PICTURE_HEIGHT; y++)
        for (int x = 0; x < PICTURE_WIDTH; x++)
            plane.pixels[y * PICTURE_WIDTH + x] = (float)((x * factor_x + y * factor_y) % 83 - 41) * 0.37f;
    return plane;
}

struct float_image waves(int height, int width)
{
    struct float_image plane;

    assert_int_equal(float_image_alloc(&plane, width, height, 1), 0);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            plane.pixels[y * width + x] = (float)((x * 31 + y * 17) % 64 - 32) / 32.0f;
    return plane;
}

void assert_hash(const struct df_image *image, uint64_t hash)
{
    const size_t size = (size_t)(image->width * image->height * image->channels);

    assert_true(hash_bytes(image->pixels, size) == hash);
}
