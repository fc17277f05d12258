/* Images of bytes that can be read beyond their borders, for the filters that OpenCV computes in integers. */
#ifndef DINOFT_CORRUPTIONS_PADDED_BYTES_H
#define DINOFT_CORRUPTIONS_PADDED_BYTES_H

#include "dinoft/image.h"

struct padded_bytes {
    uint8_t *pixels;      /* [height, margin + width + margin, channels] */
    const uint8_t **rows; /* [margin + height + margin]: pixel -margin of each row */
};

/* A copy that continues as BORDER_REFLECT_101 for margin pixels to every side. -1 with the error set; free it
 * in either case. */
int padded_bytes_make(struct padded_bytes *padded, const struct df_image *image, int margin);
void padded_bytes_free(struct padded_bytes *padded);

#endif
