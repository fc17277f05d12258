/* The TIFF structure, and the turns that it asks for. */
#include "images.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int orientation = df_exif_orientation(data, size);
    struct df_image image;

    fuzz_check(orientation >= 1 && orientation <= 8, "an orientation of 1 to 8");
    fuzz_check(df_image_alloc(&image, 3, 2, 3) == 0, "memory");
    memset(image.pixels, orientation, 18);
    fuzz_check(df_image_orient(&image, orientation) == 0, "memory");
    fuzz_check(image.width == (orientation < 5 ? 3 : 2) && image.width * image.height == 6, "a turned size");
    fuzz_touch(image.pixels, 18);
    df_image_free(&image);
    return 0;
}
