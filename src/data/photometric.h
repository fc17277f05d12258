/* mmsegmentation's PhotoMetricDistortion, byte for byte as its formulas and OpenCV's 8-bit HSV make it. */
#ifndef DINOFT_DATA_PHOTOMETRIC_H
#define DINOFT_DATA_PHOTOMETRIC_H

#include "dinoft/rng.h"

#include <stdbool.h>
#include <stdint.h>

/* What is drawn: each of the four is done for half of the images. */
struct df_photometric {
    float brightness; /* is added, -32 to 32 */
    float contrast;   /* a factor, 0.5 to 1.5 */
    bool contrast_first;
    bool saturates;
    float saturation; /* a factor, 0.5 to 1.5 */
    bool turns;
    int hue; /* is added to the hue, of 180 in all: -18 to 17 */
};

void df_photometric_draw(struct df_photometric *colours, struct df_rng *rng);

/* Changes width x height pixels RGB in place, whose rows are row_pixels apart. */
void df_photometric_apply(const struct df_photometric *colours, uint8_t *pixels, int64_t width,
                          int64_t height, int64_t row_pixels);

#endif
