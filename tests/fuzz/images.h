/* What the targets of images share. */
#ifndef TESTS_FUZZ_IMAGES_H
#define TESTS_FUZZ_IMAGES_H

#include "fuzz.h"

#include "src/data/codec.h"

/* One of the decoders of data/codec.h over the input: an image whose every pixel is there, or a line that
 * says why not. */
static inline void fuzz_decode(int (*decode)(const unsigned char *bytes, size_t size, struct df_image *image),
                               const uint8_t *data, size_t size)
{
    struct df_image image;

    fuzz_forget_error();
    if (decode(data, size, &image) == 0) {
        fuzz_check(df_image_check_size(image.width, image.height) == 0,
                   "an image's size is within the limits");
        fuzz_touch(image.pixels, (size_t)(image.width * image.height * image.channels));
    } else {
        fuzz_check(!image.pixels, "a refused image has no pixels");
        fuzz_check_error();
    }
    df_image_free(&image);
}

#endif
