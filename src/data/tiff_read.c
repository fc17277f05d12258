/* TIFF and BigTIFF, the whole image. */
#include "codec.h"
#include "tiff_part.h"

#include "dinoft/error.h"

#include <string.h>

int df_tiff_decode(const unsigned char *bytes, size_t size, const struct df_image_reading *reading,
                   struct df_image *image)
{
    struct df_tiff tiff;
    struct df_tiff_way way;
    int status = -1;

    memset(image, 0, sizeof *image);
    if (df_tiff_open(&tiff, bytes, size) == 0 && df_tiff_choose(&tiff, reading, &way) == 0) {
        const struct df_image_part all = {0, 0, tiff.width, tiff.height};
        status = df_tiff_read_part(&tiff, &way, &all, image);
    }
    if (status == 0 && (status = df_image_orient(image, tiff.orientation)) == 0)
        image->warning = df_tiff_find_warning(&tiff);
    df_tiff_close(&tiff);
    if (status != 0)
        df_image_free(image);
    return status;
}

int df_tiff_orientation(const unsigned char *bytes, size_t size)
{
    struct df_tiff tiff;
    const int orientation = df_tiff_open(&tiff, bytes, size) == 0 ? tiff.orientation : 1;

    df_tiff_close(&tiff);
    return orientation;
}
