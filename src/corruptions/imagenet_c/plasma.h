/* Random clouds for fog. */
#ifndef DINOFT_CORRUPTIONS_PLASMA_H
#define DINOFT_CORRUPTIONS_PLASMA_H

#include "dinoft/rng.h"
#include "../pixels/float_image.h"

/* A plasma fractal (diamond-square on a torus; Fournier, Fussell, Carpenter 1982), size x size, scaled to
 * [0, 1]: at each of the log2(size) steps a point is the mean of its four neighbours plus a uniform draw
 * whose width shrinks by decay squared. size is a power of two, at least 2. The map is allocated here; -1
 * with the error set; free it in either case. */
int plasma_fractal(struct df_rng *rng, int64_t size, double decay, struct float_image *map);

#endif
