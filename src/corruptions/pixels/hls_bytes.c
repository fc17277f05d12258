/* Colours are worked on in blocks with a plane for each channel and no branches, which compilers turn into
 * vector instructions. */
#include "hls_bytes.h"

#include "dinoft/multiversion.h"

#include <float.h>
#include <string.h>

#define BLOCK 64

struct planes {
    float first[BLOCK], second[BLOCK], third[BLOCK];
};

DF_INLINE void load(const uint8_t *pixels, int count, struct planes *planes)
{
    for (int i = 0; i < count; i++) {
        planes->first[i] = (float)pixels[3 * i];
        planes->second[i] = (float)pixels[3 * i + 1];
        planes->third[i] = (float)pixels[3 * i + 2];
    }
}

/* Rounds a value of 0..255 to the nearest integer, halves to even: the sum has it in its low bits. */
DF_INLINE uint8_t rounded(float value)
{
    const float sum = value + 12582912.0f; /* 1.5 * 2^23 */
    uint32_t bits;

    memcpy(&bits, &sum, sizeof bits);
    return (uint8_t)bits;
}

DF_INLINE void store(const struct planes *planes, uint8_t *pixels, int count)
{
    for (int i = 0; i < count; i++) {
        pixels[3 * i] = rounded(planes->first[i]);
        pixels[3 * i + 1] = rounded(planes->second[i]);
        pixels[3 * i + 2] = rounded(planes->third[i]);
    }
}

DF_INLINE float larger(float a, float b)
{
    return a > b ? a : b;
}

DF_INLINE float smaller(float a, float b)
{
    return a < b ? a : b;
}

/* Foley, van Dam, "Fundamentals of Interactive Computer Graphics" 1982, in OpenCV's order of operations. */
DF_INLINE void to_hls(struct planes *p)
{
    for (int i = 0; i < BLOCK; i++) {
        const float r = p->first[i] * (1.0f / 255.0f), g = p->second[i] * (1.0f / 255.0f);
        const float b = p->third[i] * (1.0f / 255.0f);
        const float most = larger(larger(r, g), b), least = smaller(smaller(r, g), b);
        const float range = most - least, sum = most + least, light = sum * 0.5f;
        const float colourful = range > FLT_EPSILON ? 1.0f : 0.0f;
        const float divisor = range > FLT_EPSILON ? range : 1.0f;
        const float full = light < 0.5f ? sum : 2.0f - sum;
        const float degrees = 60.0f / divisor;
        const float from_red = (g - b) * degrees, from_green = (b - r) * degrees + 120.0f;
        const float from_blue = (r - g) * degrees + 240.0f;
        const float signed_hue = most == r ? from_red : most == g ? from_green : from_blue;
        const float hue = signed_hue < 0.0f ? signed_hue + 360.0f : signed_hue;
        p->first[i] = hue * 0.5f * colourful;
        p->second[i] = light * 255.0f;
        p->third[i] = range / (full > 0.0f ? full : 1.0f) * colourful * 255.0f;
    }
}

/* A channel along the six sectors of the hue from the one where it rises. */
DF_INLINE float channel(float sector, float rising, float top, float falling, float bottom)
{
    const float turned = sector >= 6.0f ? sector - 6.0f : sector;
    const float high = turned < 1.0f ? rising : top, low = turned < 4.0f ? falling : bottom;
    const float value = turned < 3.0f ? high : low;

    return smaller(larger(value, 0.0f), 1.0f) * 255.0f;
}

DF_INLINE void to_rgb(struct planes *p)
{
    for (int i = 0; i < BLOCK; i++) {
        const float turns = p->first[i] * (6.0f / 180.0f);
        const float hue = turns >= 6.0f ? turns - 6.0f : turns; /* a hue of 180 is one of 0 */
        const float light = p->second[i] * (1.0f / 255.0f), saturation = p->third[i] * (1.0f / 255.0f);
        const float dark_top = light * (1.0f + saturation),
                    light_top = light + saturation - light * saturation;
        const float top = light <= 0.5f ? dark_top : light_top;
        const float bottom = 2.0f * light - top;
        const float sector = (float)(int)hue, part = hue - sector;
        const float rising = bottom + (top - bottom) * part;
        const float falling = bottom + (top - bottom) * (1.0f - part);
        p->first[i] = channel(sector + 2.0f, rising, top, falling, bottom);
        p->second[i] = channel(sector, rising, top, falling, bottom);
        p->third[i] = channel(sector + 4.0f, rising, top, falling, bottom);
    }
}

DF_INLINE void convert(const uint8_t *source, uint8_t *result, int64_t count, void (*block)(struct planes *))
{
    struct planes planes = {{0}, {0}, {0}}; /* a last block that is not full computes with what is there */

    for (int64_t start = 0; start < count; start += BLOCK) {
        const int some = count - start < BLOCK ? (int)(count - start) : BLOCK;
        load(source + 3 * start, some, &planes);
        block(&planes);
        store(&planes, result + 3 * start, some);
    }
}

DF_MULTIVERSION void hls_bytes_from_rgb(const uint8_t *rgb, uint8_t *hls, int64_t count)
{
    convert(rgb, hls, count, to_hls);
}

DF_MULTIVERSION void hls_bytes_to_rgb(const uint8_t *hls, uint8_t *rgb, int64_t count)
{
    convert(hls, rgb, count, to_rgb);
}
