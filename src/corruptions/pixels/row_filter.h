/* Linear filters, a row at a time. Products are added in the order that is named here, in double and without
 * fused multiply-adds: where a package truncates to bytes, the last bit decides about a whole level in flat
 * areas. */
#ifndef DINOFT_CORRUPTIONS_ROW_FILTER_H
#define DINOFT_CORRUPTIONS_ROW_FILTER_H

#include "padded_image.h"

/* Takes row y of a result, [width, channels]. It may overwrite row y of the filter's source. */
typedef void row_taker(void *result, int64_t y, const double *row);

void take_floats(void *float_image, int64_t y, const double *row); /* struct float_image */

/* struct df_image: clipped to [0, 255], or to [0, 1] and multiplied by 255, and truncated, as NumPy's
 * astype(uint8) does. */
void take_bytes(void *df_image, int64_t y, const double *row);
void take_unit_bytes(void *df_image, int64_t y, const double *row);

struct tap {
    int dx, dy;
    double weight;
};

/* The sum of weight * source(x + dx, y + dy) over the taps, of which there is one at least, from the first to
 * the last. The source's margins are no smaller than any |dx| and |dy|. */
int filter_taps(struct padded_image *source, const struct tap *taps, int count, row_taker *take,
                void *result);

/* Vertically, then horizontally, with symmetric weights [2 * radius + 1], added as scipy.ndimage.correlate1d
 * adds them: the middle's, then the pairs' from the outermost to the innermost. The source's margin_y is
 * radius; its rows continue as its columns do. */
int filter_separable(struct padded_image *source, const double *weights, int radius, row_taker *take,
                     void *result);

#endif
