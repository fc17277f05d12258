#include "padded_bytes.h"

#include "padded_image.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

int padded_bytes_make(struct padded_bytes *padded, const struct df_image *image, int margin)
{
    const int64_t channels = image->channels, values = image->width * channels;
    const int64_t stride = values + 2 * margin * channels;

    *padded = (struct padded_bytes){malloc((size_t)(image->height * stride)),
                                    malloc((size_t)(image->height + 2 * margin) * sizeof(uint8_t *))};
    if (!padded->pixels || !padded->rows)
        return df_error_memory("filtering an image", (unsigned long long)(image->height * stride));
    for (int64_t y = 0; y < image->height; y++) {
        uint8_t *row = padded->pixels + y * stride + margin * channels;
        memcpy(row, image->pixels + y * values, (size_t)values);
        for (int64_t k = 1; k <= margin; k++) {
            const int64_t left = border_index(-k, image->width, BORDER_REFLECT_101);
            const int64_t right = border_index(image->width - 1 + k, image->width, BORDER_REFLECT_101);
            memcpy(row - k * channels, row + left * channels, (size_t)channels);
            memcpy(row + (image->width - 1 + k) * channels, row + right * channels, (size_t)channels);
        }
    }
    for (int64_t y = -margin; y < image->height + margin; y++)
        padded->rows[margin + y] =
            padded->pixels + border_index(y, image->height, BORDER_REFLECT_101) * stride;
    return 0;
}

void padded_bytes_free(struct padded_bytes *padded)
{
    free(padded->pixels);
    free(padded->rows);
    *padded = (struct padded_bytes){0};
}
