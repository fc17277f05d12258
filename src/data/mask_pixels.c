#include "mask_pixels.h"

#include <stdlib.h>
#include <string.h>

/* Also in place. The sizes are constants where it is called, which saves most of the time. */
static inline void keep(uint8_t *to, const uint8_t *pixels, size_t count, size_t unit, size_t kept)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < kept; c++)
            to[i * kept + c] = pixels[i * unit + c];
    }
}

/* Into memory of their own: what realloc() cuts off, the C library hands back to the system each time, and
 * the next mask pays for new pages. */
void df_mask_keep_first(struct df_image *mask, int kept)
{
    const size_t count = (size_t)(mask->width * mask->height), unit = (size_t)mask->channels;

    if (kept == mask->channels)
        return;
    uint8_t *smaller = malloc(count * (size_t)kept), *to = smaller ? smaller : mask->pixels;
    if (unit == 4 && kept == 3)
        keep(to, mask->pixels, count, 4, 3);
    else if (unit == 3 && kept == 1)
        keep(to, mask->pixels, count, 3, 1);
    else
        keep(to, mask->pixels, count, unit, (size_t)kept);
    mask->channels = kept;
    if (!smaller)
        return;
    free(mask->pixels);
    mask->pixels = smaller;
}

bool df_mask_is_grey(const struct df_image *mask, int bytes)
{
    const size_t count = (size_t)(mask->width * mask->height), unit = (size_t)mask->channels;
    const size_t channel = (size_t)bytes;

    for (size_t i = 0; i < count; i++) {
        const uint8_t *pixel = mask->pixels + i * unit;
        if (memcmp(pixel, pixel + channel, channel) != 0 || memcmp(pixel, pixel + 2 * channel, channel) != 0)
            return false;
    }
    return true;
}
