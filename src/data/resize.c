/* Resampling in OpenCV's arithmetic: on x86-64 no byte differed from OpenCV 5.0's cv2.resize in 163 pairs of
 * sizes (1..1500, up and down). Two details matter for that: source coordinates are rounded to float32, and
 * beyond the first or last source row both taps read that row but keep their weights, so that the truncated
 * products of an edge row can add up to one less; columns at the edge take weight one. */
#include "dinoft/image.h"

#include "codec.h"
#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_ONE 2048 /* 11 bits of fraction */

struct tap {
    int32_t at[2];     /* source rows or columns */
    int16_t weight[2]; /* sum WEIGHT_ONE, give or take a rounding */
};

static double source_step(int64_t source, int64_t destination)
{
    return 1.0 / ((double)destination / (double)source);
}

static void make_taps(struct tap *taps, int64_t source, int64_t destination, int edge_is_one)
{
    const double step = source_step(source, destination);
    const int32_t last = (int32_t)source - 1;

    for (int64_t i = 0; i < destination; i++) {
        float position = (float)(((double)i + 0.5) * step - 0.5);
        int32_t whole = (int32_t)floorf(position);
        float fraction = position - (float)whole;
        if (edge_is_one && (whole < 0 || whole >= last))
            fraction = 0.0f;
        taps[i].at[0] = whole < 0 ? 0 : whole > last ? last : whole;
        taps[i].at[1] = whole + 1 > last ? last : whole + 1;
        taps[i].weight[0] = (int16_t)rintf((1.0f - fraction) * WEIGHT_ONE);
        taps[i].weight[1] = (int16_t)rintf(fraction * WEIGHT_ONE);
    }
}

/* One source row at the destination's width, as sums >> 4: they fit 15 bits. */
static void resize_row(const uint8_t *restrict row, const struct tap *restrict taps, int16_t *restrict sums,
                       int64_t width)
{
    for (int64_t x = 0; x < width; x++) {
        const uint8_t *left = row + 3 * (int64_t)taps[x].at[0];
        const uint8_t *right = row + 3 * (int64_t)taps[x].at[1];
        int a = taps[x].weight[0], b = taps[x].weight[1];
        for (int c = 0; c < 3; c++)
            sums[3 * x + c] = (int16_t)((left[c] * a + right[c] * b) >> 4);
    }
}

static void blend_rows(const int16_t *restrict upper, const int16_t *restrict lower, const int16_t weight[2],
                       uint8_t *restrict out, int64_t count)
{
    const int16_t a = weight[0], b = weight[1];

    for (int64_t i = 0; i < count; i++) {
        int16_t sum = (int16_t)((upper[i] * a >> 16) + (lower[i] * b >> 16));
        out[i] = (uint8_t)((sum + 2) >> 2);
    }
}

int df_resize_linear(const struct df_image *source, uint8_t *destination, int64_t width, int64_t height)
{
    const struct df_image_part all = {0, 0, source->width, source->height};

    return df_resize_linear_part(source, &all, destination, width, height);
}

int df_resize_linear_part(const struct df_image *source, const struct df_image_part *part,
                          uint8_t *destination, int64_t width, int64_t height)
{
    const int64_t row_values = width * 3;
    const uint8_t *first = source->pixels + (part->y * source->width + part->x) * 3;
    int64_t held[2] = {-1, -1}; /* which source row each of the two sums has */
    int status = -1;

    assert(source->channels == 3 && part->x >= 0 && part->y >= 0 && part->x + part->width <= source->width &&
           part->y + part->height <= source->height);
    DF_TRY(df_image_check_size(width, height));
    struct tap *columns = malloc((size_t)width * sizeof *columns);
    struct tap *rows = malloc((size_t)height * sizeof *rows);
    int16_t *sums = malloc(2 * (size_t)row_values * sizeof *sums);
    if (!columns || !rows || !sums) {
        df_error_memory("resizing an image", (unsigned long long)(width + height) * sizeof *rows);
        goto done;
    }
    make_taps(columns, part->width, width, 1);
    make_taps(rows, part->height, height, 0);
    for (int64_t y = 0; y < height; y++) {
        const int16_t *taken[2];
        for (int k = 0; k < 2; k++) {
            /* Neighbouring rows have different parities, so a row that both taps of the next line need stays.
             */
            int64_t row = rows[y].at[k];
            int slot = (int)(row & 1);
            int16_t *sum = sums + slot * row_values;
            if (held[slot] != row)
                resize_row(first + row * source->width * 3, columns, sum, width);
            held[slot] = row;
            taken[k] = sum;
        }
        blend_rows(taken[0], taken[1], rows[y].weight, destination + y * row_values, row_values);
    }
    status = 0;
done:
    free(columns);
    free(rows);
    free(sums);
    return status;
}

static int64_t nearest_index(int64_t i, double step, int64_t count)
{
    return df_min_i64((int64_t)floor((double)i * step), count - 1);
}

void df_resize_nearest(const struct df_image *source, uint8_t *destination, int64_t width, int64_t height)
{
    enum { BLOCK = 512 }; /* columns whose indices are worked out at once, so that none need be allocated */
    int32_t columns[BLOCK];
    const double step_x = source_step(source->width, width);
    const double step_y = source_step(source->height, height);

    assert(source->channels == 1);
    for (int64_t start = 0; start < width; start += BLOCK) {
        const int64_t count = df_min_i64(BLOCK, width - start);
        for (int64_t x = 0; x < count; x++)
            columns[x] = (int32_t)nearest_index(start + x, step_x, source->width);
        for (int64_t y = 0; y < height; y++) {
            const uint8_t *row = source->pixels + nearest_index(y, step_y, source->height) * source->width;
            uint8_t *out = destination + y * width + start;
            for (int64_t x = 0; x < count; x++)
                out[x] = row[columns[x]];
        }
    }
}
