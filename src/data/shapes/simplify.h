/* Rings with fewer corners. What lies between two nodes is made the same line whichever of its two regions
 * is asked for, so neighbours still meet. */
#ifndef DINOFT_DATA_SHAPES_SIMPLIFY_H
#define DINOFT_DATA_SHAPES_SIMPLIFY_H

#include "borders.h"

/* Douglas-Peucker: no corner that goes is farther than tolerance >= 0 pixels from the line that stays. A line
 * is only cut short where no other border lies between: rings of one mask neither cross, nor touch where they
 * did not, nor lose their area. Corners on straight lines go always. The ring, in place, has 3 corners or
 * more. keep: [ring's count], for its own use. */
void df_ring_simplify(const struct df_borders *borders, struct df_ring *ring, double tolerance,
                      uint8_t *keep);

#endif
