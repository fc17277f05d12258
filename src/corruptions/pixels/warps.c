#include "warps.h"

#include "padded_image.h"

#include "dinoft/size.h"

#include <assert.h>
#include <math.h>

#define BLOCK 256 /* coordinates that are computed at once */
#define STEPS 32  /* in a pixel */

struct coordinates {
    int32_t x[BLOCK], y[BLOCK]; /* in steps, or whole pixels where the nearest is taken */
};

struct affine affine_between(const double from[3][2], const double to[3][2])
{
    const double ax = from[1][0] - from[0][0], ay = from[1][1] - from[0][1];
    const double bx = from[2][0] - from[0][0], by = from[2][1] - from[0][1];
    const double determinant = ax * by - ay * bx;
    const double scale = determinant != 0.0 ? 1.0 / determinant : 0.0;
    double linear[2][2], start[2];

    for (int i = 0; i < 2; i++) {
        const double a = to[1][i] - to[0][i], b = to[2][i] - to[0][i];
        linear[i][0] = (a * by - b * ay) * scale;
        linear[i][1] = (b * ax - a * bx) * scale;
        start[i] = to[0][i] - linear[i][0] * from[0][0] - linear[i][1] * from[0][1];
    }
    return (struct affine){linear[0][0], linear[0][1], start[0], linear[1][0], linear[1][1], start[1]};
}

static int64_t mirrored(int64_t at, int64_t count)
{
    return border_index(at, count, BORDER_REFLECT_101);
}

static void take_nearest(const struct df_image *source, const struct coordinates *coordinates, int64_t count,
                         uint8_t *out)
{
    const int channels = source->channels;

    for (int64_t i = 0; i < count; i++) {
        const int64_t x = mirrored(coordinates->x[i], source->width);
        const int64_t y = mirrored(coordinates->y[i], source->height);
        for (int c = 0; c < channels; c++)
            out[channels * i + c] = source->pixels[channels * (y * source->width + x) + c];
    }
}

static inline void interpolate(const uint8_t *upper_left, const uint8_t *upper_right,
                               const uint8_t *lower_left, const uint8_t *lower_right, int x_part, int y_part,
                               int channels, uint8_t *out)
{
    const int right = x_part * (STEPS - y_part), left = (STEPS - x_part) * (STEPS - y_part);
    const int below_right = x_part * y_part, below_left = (STEPS - x_part) * y_part;

    for (int c = 0; c < channels; c++) {
        const int sum = upper_left[c] * left + upper_right[c] * right + lower_left[c] * below_left +
                        lower_right[c] * below_right;
        out[c] = (uint8_t)((sum + STEPS * STEPS / 2) / (STEPS * STEPS));
    }
}

static inline void take_linear(const struct df_image *source, const struct coordinates *coordinates,
                               int64_t count, int channels, uint8_t *out)
{
    const int64_t width = source->width, height = source->height;

    for (int64_t i = 0; i < count; i++) {
        const int64_t x = coordinates->x[i] >> 5, y = coordinates->y[i] >> 5;
        const bool inside = x >= 0 && x + 1 < width && y >= 0 && y + 1 < height;
        const int64_t left = inside ? x : mirrored(x, width), right = inside ? x + 1 : mirrored(x + 1, width);
        const int64_t upper = inside ? y : mirrored(y, height);
        const int64_t lower = inside ? y + 1 : mirrored(y + 1, height);
        const uint8_t *above = source->pixels + upper * width * channels;
        const uint8_t *below = source->pixels + lower * width * channels;
        interpolate(above + left * channels, above + right * channels, below + left * channels,
                    below + right * channels, coordinates->x[i] & (STEPS - 1),
                    coordinates->y[i] & (STEPS - 1), channels, out + channels * i);
    }
}

static void take(const struct df_image *source, const struct coordinates *coordinates, int64_t count,
                 bool nearest, uint8_t *out)
{
    if (nearest)
        take_nearest(source, coordinates, count, out);
    else if (source->channels == 3)
        take_linear(source, coordinates, count, 3,
                    out); /* the number of channels as a constant unrolls its loops */
    else
        take_linear(source, coordinates, count, 1, out);
}

/* Coordinates far outside (a nearly singular map) are drawn in to where sums and products stay in range. */
static int64_t in_reach(double value)
{
    const double far = 1 << 30;

    return llrint(value < -far ? -far : value > far ? far : value);
}

/* As OpenCV: terms are rounded to 1/1024 pixel one by one, their sum is then rounded to steps or pixels. */
static void affine_coordinates(const struct affine *inverse_map, int64_t x, int64_t y, int64_t count,
                               bool nearest, struct coordinates *coordinates)
{
    const int64_t unit = 1024, step = nearest ? unit : unit / STEPS;
    const int64_t row_x = in_reach((inverse_map->xy * (double)y + inverse_map->x0) * (double)unit) + step / 2;
    const int64_t row_y = in_reach((inverse_map->yy * (double)y + inverse_map->y0) * (double)unit) + step / 2;

    for (int64_t i = 0; i < count; i++) {
        const double scaled = (double)(x + i) * (double)unit;
        const int shift = nearest ? 10 : 5;
        coordinates->x[i] = (int32_t)((row_x + in_reach(inverse_map->xx * scaled)) >> shift);
        coordinates->y[i] = (int32_t)((row_y + in_reach(inverse_map->yx * scaled)) >> shift);
    }
}

void warp_affine(const struct df_image *source, const struct affine *inverse_map, bool nearest,
                 struct df_image *result)
{
    struct coordinates coordinates;

    assert(source->width == result->width && source->height == result->height &&
           source->channels == result->channels);
    for (int64_t y = 0; y < result->height; y++) {
        for (int64_t x = 0; x < result->width; x += BLOCK) {
            const int64_t count = df_min_i64(BLOCK, result->width - x);
            affine_coordinates(inverse_map, x, y, count, nearest, &coordinates);
            take(source, &coordinates, count, nearest,
                 result->pixels + (y * result->width + x) * result->channels);
        }
    }
}

void warp_by_offsets(const struct df_image *source, const struct float_image *dx,
                     const struct float_image *dy, bool nearest, struct df_image *result)
{
    const float scale = nearest ? 1.0f : (float)STEPS;
    struct coordinates coordinates;

    assert(source->width == result->width && source->height == result->height &&
           source->channels == result->channels);
    assert(dx->width == result->width && dx->height == result->height && dx->channels == 1);
    assert(dy->width == result->width && dy->height == result->height && dy->channels == 1);
    for (int64_t y = 0; y < result->height; y++) {
        for (int64_t x = 0; x < result->width; x += BLOCK) {
            const int64_t count = df_min_i64(BLOCK, result->width - x), start = y * result->width + x;
            for (int64_t i = 0; i < count; i++) {
                coordinates.x[i] = (int32_t)lrintf(((float)(x + i) + dx->pixels[start + i]) * scale);
                coordinates.y[i] = (int32_t)lrintf(((float)y + dy->pixels[start + i]) * scale);
            }
            take(source, &coordinates, count, nearest, result->pixels + start * result->channels);
        }
    }
}
