#include "photometric.h"

#include <math.h>

#define BRIGHTNESS 32.0 /* to either side */
#define LEAST      0.5  /* factors of contrast and saturation */
#define MOST       1.5
#define HUES       180 /* OpenCV's, so that they fit a byte */
#define HUE_MOST   18
#define FRACTION   12 /* bits of OpenCV's reciprocals */

static bool one_of_two(struct df_rng *rng)
{
    return df_rng_below(rng, 2) == 1;
}

static float factor(struct df_rng *rng)
{
    return (float)df_rng_uniform(rng, LEAST, MOST);
}

/* Drawn whether it is used or not: what follows does not depend on it. */
void df_photometric_draw(struct df_photometric *colours, struct df_rng *rng)
{
    const bool brightens = one_of_two(rng);
    colours->brightness = (float)df_rng_uniform(rng, -BRIGHTNESS, BRIGHTNESS);
    if (!brightens)
        colours->brightness = 0.0f;
    colours->contrast_first = one_of_two(rng);
    const bool contrasts = one_of_two(rng);
    colours->contrast = factor(rng);
    if (!contrasts)
        colours->contrast = 1.0f;
    colours->saturates = one_of_two(rng);
    colours->saturation = factor(rng);
    colours->turns = one_of_two(rng);
    colours->hue = (int)df_rng_below(rng, 2 * HUE_MOST) - HUE_MOST;
}

/* mmsegmentation's convert(): float32, cut off to 0..255 and to whole numbers. */
static uint8_t converted(uint8_t value, float scale, float add)
{
    const float result = (float)value * scale + add;

    return (uint8_t)(result < 0.0f ? 0.0f : result > 255.0f ? 255.0f : result);
}

/* What is done with single values or hues, whatever the other channels are. */
struct tables {
    uint8_t before[256], after[256]; /* the conversion to HSV and back; of each channel */
    uint8_t saturation[256], hue[HUES];
    int saturation_of[256], hue_of[256]; /* reciprocals, by value and by the difference of the channels */
    int sextant[HUES];
    float rises[HUES]; /* how far a hue is in its sextant */
};

static void make_tables(struct tables *tables, const struct df_photometric *colours)
{
    for (int i = 0; i < 256; i++) {
        const uint8_t brighter = converted((uint8_t)i, 1.0f, colours->brightness);
        const bool first = colours->contrast_first;
        tables->before[i] = first ? converted(brighter, colours->contrast, 0.0f) : brighter;
        tables->after[i] = first ? (uint8_t)i : converted((uint8_t)i, colours->contrast, 0.0f);
        tables->saturation[i] = converted((uint8_t)i, colours->saturation, 0.0f);
        tables->saturation_of[i] = i == 0 ? 0 : (int)rint((255 << FRACTION) / (double)i);
        tables->hue_of[i] = i == 0 ? 0 : (int)rint((HUES << FRACTION) / (6.0 * i));
    }
    for (int i = 0; i < HUES; i++) {
        const float turned = (float)i * (6.0f / (float)HUES);
        tables->hue[i] = (uint8_t)((i + colours->hue + HUES) % HUES);
        tables->sextant[i] = (int)turned;
        tables->rises[i] = turned - floorf(turned);
    }
}

/* Of equal largest channels the first decides. */
static void to_hsv(const struct tables *tables, const uint8_t rgb[3], uint8_t hsv[3])
{
    const int r = rgb[0], g = rgb[1], b = rgb[2], half = 1 << (FRACTION - 1);
    const int most = r > g ? (r > b ? r : b) : (g > b ? g : b);
    const int least = r < g ? (r < b ? r : b) : (g < b ? g : b);
    const int range = most - least;
    const int side = most == r ? g - b : most == g ? b - r + 2 * range : r - g + 4 * range;
    const int hue = (side * tables->hue_of[range] + half) >> FRACTION;

    hsv[0] = (uint8_t)(hue < 0 ? hue + HUES : hue);
    hsv[1] = (uint8_t)((range * tables->saturation_of[most] + half) >> FRACTION);
    hsv[2] = (uint8_t)most;
}

/* In a sextant one channel has the value (0), one the least (1), one falls (2) or rises (3) between them.
 * Products that OpenCV subtracts in one rounding are made in double; bytes are cut off. */
static void to_rgb(const struct tables *tables, const uint8_t hsv[3], uint8_t rgb[3])
{
    static const uint8_t channels[6][3] = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3}, {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};
    const uint8_t *const order = channels[tables->sextant[hsv[0]]];
    const float scale = 1.0f / 255.0f, s = (float)hsv[1] * scale, v = (float)hsv[2] * scale;
    const float rises = tables->rises[hsv[0]], falls = 1.0f - rises;
    const float values[4] = {v, v * (1.0f - s), v * (float)(1.0 - (double)s * (double)rises),
                             v * (float)(1.0 - (double)s * (double)falls)};

    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(values[order[c]] * 255.0f);
}

static void look_up(const uint8_t table[256], uint8_t *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = table[values[i]];
}

/* Each has its own way to HSV and back, as in mmsegmentation, which rounds twice. */
static void saturate_row(const struct tables *tables, uint8_t *row, int64_t width)
{
    for (int64_t x = 0; x < width; x++) {
        uint8_t hsv[3];
        to_hsv(tables, row + 3 * x, hsv);
        hsv[1] = tables->saturation[hsv[1]];
        to_rgb(tables, hsv, row + 3 * x);
    }
}

static void turn_row(const struct tables *tables, uint8_t *row, int64_t width)
{
    for (int64_t x = 0; x < width; x++) {
        uint8_t hsv[3];
        to_hsv(tables, row + 3 * x, hsv);
        hsv[0] = tables->hue[hsv[0]];
        to_rgb(tables, hsv, row + 3 * x);
    }
}

void df_photometric_apply(const struct df_photometric *colours, uint8_t *pixels, int64_t width,
                          int64_t height, int64_t row_pixels)
{
    struct tables tables;

    make_tables(&tables, colours);
    for (int64_t y = 0; y < height; y++) {
        uint8_t *row = pixels + 3 * y * row_pixels;
        look_up(tables.before, row, 3 * width);
        if (colours->saturates)
            saturate_row(&tables, row, width);
        if (colours->turns)
            turn_row(&tables, row, width);
        look_up(tables.after, row, 3 * width);
    }
}
