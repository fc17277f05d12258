/* Colours for numbers: from almost white through green to dark blue. */
#ifndef DINOFT_REPORT_COLOR_SCALE_H
#define DINOFT_REPORT_COLOR_SCALE_H

#include <stdbool.h>
#include <stdint.h>

/* The colour of value 0 (light) .. 1 (dark), clamped; light grey for NaN. Equal steps of the value look
 * equally large: lightness falls evenly in OKLab (B. Ottosson, "A perceptual color space for image
 * processing", 2020), so the scale survives grey print too. */
void df_color_scale(double value, uint8_t rgb[3]);

/* Whether white text is easier to read on the colour than black: the higher contrast ratio of WCAG 2. */
bool df_color_wants_white(const uint8_t rgb[3]);

#endif
