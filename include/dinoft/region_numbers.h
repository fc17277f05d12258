/* The numbers of the classes, written into their regions: for those who cannot tell the colours apart. */
#ifndef DINOFT_REGION_NUMBERS_H
#define DINOFT_REGION_NUMBERS_H

#include "dinoft/palette.h"

/* Writes into each region (connected, of one class) of the picture its class's number, where it is farthest
 * from the region's edges. A region that is too small for the text has none, but for the widest one of a
 * class that would have no number at all. Classes that the palette does not colour have none. classes
 * [height, width], picture RGB of the same size. -1 when out of memory. */
int df_region_numbers_draw(struct df_image *picture, const struct df_image *classes,
                           const struct df_palette *palette);

#endif
