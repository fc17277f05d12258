/* Hue, lightness and saturation of 8-bit colours as OpenCV's COLOR_RGB2HLS and COLOR_HLS2RGB compute them:
 * hue in steps of two degrees (0..180), the others times 255, all rounded. */
#ifndef DINOFT_CORRUPTIONS_HLS_BYTES_H
#define DINOFT_CORRUPTIONS_HLS_BYTES_H

#include <stdint.h>

/* uint8 [count, 3] each; source and result may be the same. */
void hls_bytes_from_rgb(const uint8_t *rgb, uint8_t *hls, int64_t count);
void hls_bytes_to_rgb(const uint8_t *hls, uint8_t *rgb, int64_t count);

#endif
