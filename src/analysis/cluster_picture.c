#include "dinoft/cluster_picture.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>

/* Of `count` positions the two out of `source` that position i lies between, and the share of the second. */
struct between {
    int64_t first, second;
    float share;
};

static struct between place(int64_t i, int64_t count, int64_t source, bool smooth)
{
    const double position = ((double)i + 0.5) * (double)source / (double)count - 0.5;
    const int64_t below = (int64_t)floor(position), patch = i * source / count;

    if (!smooth)
        return (struct between){patch, patch, 0.0f};
    return (struct between){df_max_i64(below, 0), df_min_i64(below + 1, source - 1),
                            (float)(position - floor(position))};
}

static float mix(float first, float second, float share)
{
    return first + share * (second - first);
}

static uint8_t least_between(const float *first, const float *second, float share, int count)
{
    int best = 0;
    float least = mix(first[0], second[0], share);

    for (int k = 1; k < count; k++) {
        const float distance = mix(first[k], second[k], share);
        if (distance < least) {
            least = distance;
            best = k;
        }
    }
    return (uint8_t)best;
}

int df_picture_clusters(const float *distances, int64_t h, int64_t w, int count, bool smooth, int64_t height,
                        int64_t width, struct df_image *indices)
{
    const int64_t row = w * count;
    float *mixed = malloc((size_t)row * sizeof *mixed);

    if (!mixed)
        return df_error_memory("a row of clusters", (unsigned long long)row * sizeof *mixed);
    if (df_image_alloc(indices, width, height, 1) != 0) {
        free(mixed);
        return -1;
    }
    for (int64_t y = 0; y < height; y++) {
        const struct between rows = place(y, height, h, smooth);
        for (int64_t i = 0; i < row; i++)
            mixed[i] = mix(distances[rows.first * row + i], distances[rows.second * row + i], rows.share);
        for (int64_t x = 0; x < width; x++) {
            const struct between columns = place(x, width, w, smooth);
            indices->pixels[y * width + x] = least_between(
                mixed + columns.first * count, mixed + columns.second * count, columns.share, count);
        }
    }
    free(mixed);
    return 0;
}

static uint8_t level(double value)
{
    return (uint8_t)lrint(255.0 * value);
}

/* Hues a golden section of the circle apart; each round of them, which begins to repeat itself, is of another
 * lightness. */
void df_cluster_palette(uint8_t palette[256][3])
{
    static const double lightness[][2] = {
        {1.0, 0.75}, {0.65, 0.85}, {1.0, 0.4}, {0.4, 0.8}}; /* value, saturation */

    for (int k = 0; k < 256; k++) {
        const double hue = fmod(k * 0.6180339887498949 + 0.58, 1.0) * 6.0;
        const double *round = lightness[k / 8 % 4];
        for (int c = 0; c < 3; c++) {
            const double part = fmod(hue + (c == 0 ? 5.0 : c == 1 ? 3.0 : 1.0), 6.0);
            const double slope = fmax(0.0, fmin(fmin(part, 4.0 - part), 1.0));
            palette[k][c] = k == 255 ? 255 : level(round[0] * (1.0 - round[1] * slope));
        }
    }
}

void df_picture_heat(struct df_image *grey)
{
    static const uint8_t stops[][3] = {{68, 1, 84},    {71, 44, 122},  {59, 81, 139},
                                       {44, 113, 142}, {33, 144, 141}, {39, 173, 129},
                                       {92, 200, 99},  {170, 220, 50}, {253, 231, 37}};
    const int steps = (int)(sizeof stops / sizeof *stops) - 1;

    for (int64_t i = 0; i < grey->width * grey->height; i++) {
        uint8_t *pixel = grey->pixels + 3 * i;
        const int position = pixel[0] * steps, stop = position / 255 < steps ? position / 255 : steps - 1;
        const int share = position - 255 * stop;
        for (int c = 0; c < 3; c++)
            pixel[c] = (uint8_t)((stops[stop][c] * (255 - share) + stops[stop + 1][c] * share + 127) / 255);
    }
}

void df_picture_mark(struct df_image *picture, int64_t x, int64_t y)
{
    static const uint8_t red[3] = {255, 32, 32}, white[3] = {255, 255, 255};
    const int64_t shorter = df_min_i64(picture->width, picture->height);
    const int64_t line = df_max_i64(1, shorter / 250), radius = df_max_i64(3, shorter / 30),
                  reach = radius + 3 * line;

    for (int64_t py = df_max_i64(0, y - reach); py <= df_min_i64(picture->height - 1, y + reach); py++) {
        for (int64_t px = df_max_i64(0, x - reach); px <= df_min_i64(picture->width - 1, x + reach); px++) {
            const double distance = hypot((double)(px - x), (double)(py - y)) - (double)radius;
            if (distance < 0.0 || distance >= 3.0 * (double)line)
                continue;
            const uint8_t *color = distance >= (double)line && distance < 2.0 * (double)line ? red : white;
            for (int c = 0; c < 3; c++)
                picture->pixels[3 * (py * picture->width + px) + c] = color[c];
        }
    }
}
