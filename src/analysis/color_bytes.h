/* From a colour to bytes. Private to src/analysis. */
#ifndef DINOFT_COLOR_BYTES_H
#define DINOFT_COLOR_BYTES_H

#include <stdint.h>

/* Rounds down, as NumPy's astype and matplotlib's imshow do, but for what a mean of equal values may lack. */
static inline uint8_t df_color_byte(float value)
{
    const float level = value * 255.0f + 1e-3f;
    return level > 255.0f ? 255 : level > 0.0f ? (uint8_t)level : 0;
}

#endif
