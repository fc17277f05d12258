/* What the targets of images share. */
#ifndef TESTS_FUZZ_IMAGES_H
#define TESTS_FUZZ_IMAGES_H

#include "fuzz.h"

#include "src/data/codec.h"

/* An image whose every pixel is there, or a line that says why not. */
static inline void fuzz_check_image(int status, struct df_image image)
{
    if (status == 0) {
        fuzz_check(df_image_check_size(image.width, image.height) == 0,
                   "an image's size is within the limits");
        fuzz_touch(image.pixels, (size_t)(image.width * image.height * image.channels));
    } else {
        fuzz_check(!image.pixels, "a refused image has no pixels");
        fuzz_check_error();
    }
    df_image_free(&image);
}

/* One of the decoders of data/codec.h over the input. */
static inline void fuzz_decode(int (*decode)(const unsigned char *bytes, size_t size, struct df_image *image),
                               const uint8_t *data, size_t size)
{
    struct df_image image;

    fuzz_forget_error();
    const int status = decode(data, size, &image);
    fuzz_check_image(status, image);
}

/* One that can be told how, told so in several ways. */
static inline void fuzz_decode_as(int (*decode)(const unsigned char *bytes, size_t size,
                                                const struct df_image_reading *reading,
                                                struct df_image *image),
                                  const uint8_t *data, size_t size)
{
    static const struct df_image_reading ways[] = {
        {.range = DF_RANGE_OF_TYPE},
        {.range = DF_RANGE_OF_FILE, .n_bands = 1, .bands = {1}},
        {.range = DF_RANGE_GIVEN, .black = -1.0, .white = 300.0, .n_bands = 3, .bands = {3, 2, 1}},
        {.range = DF_RANGE_OF_FILE}};
    struct df_image image;

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        fuzz_forget_error();
        const int status = decode(data, size, &ways[i], &image);
        fuzz_check_image(status, image);
    }
}

#endif
