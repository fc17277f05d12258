/* Colour spaces as the packages convert them. Pixels lie one after the other, three values each. */
#ifndef DINOFT_CORRUPTIONS_COLOUR_H
#define DINOFT_CORRUPTIONS_COLOUR_H

#include <stdint.h>

/* scikit-image's rgb2hsv of bytes / 255, all in [0, 1], in its precision and order of operations, so that
 * what is truncated afterwards falls on the same side. */
void rgb_to_hsv(const uint8_t *rgb, double *hsv, int64_t pixels);

/* scikit-image's hsv2rgb, times 255 and truncated; hsv in [0, 1]. */
void hsv_to_rgb(const double *hsv, uint8_t *rgb, int64_t pixels);

/* OpenCV's COLOR_RGB2HLS of bytes / 255 in float32: the hue in degrees [0, 360), lightness and saturation in
 * [0, 1].
 */
void rgb_to_hls(const uint8_t *rgb, float *hls, int64_t pixels);

/* OpenCV's COLOR_HLS2RGB in float32, times 255, clipped and truncated. The hue may be outside of [0, 360). */
void hls_to_rgb(const float *hls, uint8_t *rgb, int64_t pixels);

#endif
