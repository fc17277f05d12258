#include "colour.h"

#include <float.h>

static int largest(const uint8_t rgb[3])
{
    const int most = rgb[0] > rgb[1] ? rgb[0] : rgb[1];
    return most > rgb[2] ? most : rgb[2];
}

static int smallest(const uint8_t rgb[3])
{
    const int least = rgb[0] < rgb[1] ? rgb[0] : rgb[1];
    return least < rgb[2] ? least : rgb[2];
}

static void pixel_to_hsv(const uint8_t rgb[3], double hsv[3])
{
    const int most = largest(rgb), least = smallest(rgb);
    const double r = rgb[0] / 255.0, g = rgb[1] / 255.0, b = rgb[2] / 255.0;
    const double value = most / 255.0, delta = value - least / 255.0;
    double sextant;

    hsv[2] = value;
    if (most == least) {
        hsv[0] = hsv[1] = 0.0;
        return;
    }
    /* Of equal largest channels the last decides. */
    if (rgb[2] == most)
        sextant = 4.0 + (r - g) / delta;
    else if (rgb[1] == most)
        sextant = 2.0 + (b - r) / delta;
    else
        sextant = (g - b) / delta;
    hsv[0] = sextant / 6.0;
    if (hsv[0] < 0.0)
        hsv[0] += 1.0;
    hsv[1] = delta / value;
}

void rgb_to_hsv(const uint8_t *rgb, double *hsv, int64_t pixels)
{
    for (int64_t i = 0; i < pixels * 3; i += 3)
        pixel_to_hsv(rgb + i, hsv + i);
}

/* In a sextant of the hue one channel has the largest value (0), one the smallest (1), and one falls (2) or
 * rises (3) between them. */
static const uint8_t channels[6][3] = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3}, {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};

void hsv_to_rgb(const double *hsv, uint8_t *rgb, int64_t pixels)
{
    for (int64_t i = 0; i < pixels * 3; i += 3) {
        const double turned = hsv[i] * 6, s = hsv[i + 1], v = hsv[i + 2];
        const int sextant = (int)turned; /* the floor: no hue is negative */
        const double f = turned - sextant;
        const double values[4] = {v, v * (1 - s), v * (1 - f * s), v * (1 - (1 - f) * s)};
        for (int c = 0; c < 3; c++)
            rgb[i + c] = (uint8_t)(values[channels[sextant % 6][c]] * 255);
    }
}

static void pixel_to_hls(const uint8_t rgb[3], float hls[3])
{
    const float scale = 1.0f / 255.0f;
    const int largest_byte = largest(rgb);
    const float r = (float)rgb[0] * scale, g = (float)rgb[1] * scale, b = (float)rgb[2] * scale;
    const float most = (float)largest_byte * scale, least = (float)smallest(rgb) * scale;
    const float delta = most - least, lightness = (most + least) * 0.5f;
    float hue;

    hls[1] = lightness;
    if (delta <= FLT_EPSILON) {
        hls[0] = hls[2] = 0.0f;
        return;
    }
    /* Of equal largest channels the first decides. */
    if (rgb[0] == largest_byte)
        hue = (g - b) * (60.0f / delta);
    else if (rgb[1] == largest_byte)
        hue = (b - r) * (60.0f / delta) + 120.0f;
    else
        hue = (r - g) * (60.0f / delta) + 240.0f;
    hls[0] = hue < 0.0f ? hue + 360.0f : hue;
    hls[2] = delta / (lightness < 0.5f ? most + least : 2.0f - most - least);
}

void rgb_to_hls(const uint8_t *rgb, float *hls, int64_t pixels)
{
    for (int64_t i = 0; i < pixels * 3; i += 3)
        pixel_to_hls(rgb + i, hls + i);
}

static uint8_t byte_of(float value)
{
    return (uint8_t)(value < 0.0f ? 0.0f : value > 1.0f ? 255.0f : value * 255.0f);
}

void hls_to_rgb(const float *hls, uint8_t *rgb, int64_t pixels)
{
    for (int64_t i = 0; i < pixels * 3; i += 3) {
        const float lightness = hls[i + 1], saturation = hls[i + 2], product = lightness * saturation;
        /* In this order: where the largest channel was full it stays at 1, not below, which would lose a
         * level. */
        const float half = lightness <= 0.5f ? product : saturation - product;
        const float most = lightness + half, least = lightness - half;
        float turned = hls[i] * (6.0f / 360.0f);
        while (turned < 0.0f)
            turned += 6.0f;
        while (turned >= 6.0f)
            turned -= 6.0f;
        const int sextant = (int)turned;
        const float f = turned - (float)sextant;
        const float values[4] = {most, least, most - half * (f + f), least + half * (f + f)};
        for (int c = 0; c < 3; c++)
            rgb[i + c] = byte_of(values[channels[sextant][c]]);
    }
}
