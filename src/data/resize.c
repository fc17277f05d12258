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
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define WEIGHT_ONE 2048 /* 11 bits of fraction */

struct tap {
    int32_t at[2];     /* source rows or columns */
    int16_t weight[2]; /* sum WEIGHT_ONE, give or take a rounding */
};

static double source_step(int64_t source, int64_t destination)
{
    return 1.0 / ((double)destination / (double)source);
}

/* Of `count` rows or columns of the destination, from `first` on. */
static void make_taps(struct tap *taps, int64_t source, int64_t destination, int64_t first, int64_t count,
                      int edge_is_one)
{
    const double step = source_step(source, destination);
    const int32_t last = (int32_t)source - 1;

    for (int64_t i = 0; i < count; i++) {
        float position = (float)(((double)(first + i) + 0.5) * step - 0.5);
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

#if defined(__SSE2__)
/* All but the last pixels of a row: each reads its left and right pixel, which are neighbours or the right
 * one's weight is 0, as eight bytes, and writes four sums, of which the next pixel overwrites the fourth.
 * Returns how many it did. */
static int64_t resize_most(const uint8_t *restrict row, int64_t source_width, const struct tap *restrict taps,
                           int16_t *restrict sums, int64_t width)
{
    const __m128i zero = _mm_setzero_si128();
    int64_t x = 0;

    for (; x < width - 1 && taps[x].at[0] <= source_width - 3; x++) {
        int32_t weights;
        memcpy(&weights, taps[x].weight, sizeof weights);
        const __m128i pixels = _mm_loadl_epi64((const __m128i *)(row + 3 * (int64_t)taps[x].at[0]));
        const __m128i both = _mm_unpacklo_epi8(pixels, _mm_srli_epi64(pixels, 24));
        const __m128i sum = _mm_madd_epi16(_mm_unpacklo_epi8(both, zero), _mm_set1_epi32(weights));
        _mm_storel_epi64((__m128i *)(sums + 3 * x), _mm_packs_epi32(_mm_srai_epi32(sum, 4), zero));
    }
    return x;
}
#else
static int64_t resize_most(const uint8_t *row, int64_t source_width, const struct tap *taps, int16_t *sums,
                           int64_t width)
{
    (void)row, (void)source_width, (void)taps, (void)sums, (void)width;
    return 0;
}
#endif

/* One source row at the destination's width, as sums >> 4: they fit 15 bits. */
static void resize_row(const uint8_t *restrict row, int64_t source_width, const struct tap *restrict taps,
                       int16_t *restrict sums, int64_t width)
{
    for (int64_t x = resize_most(row, source_width, taps, sums, width); x < width; x++) {
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

/* A resizing under way, row by row. */
struct resizing {
    const uint8_t *first; /* pixel of the part */
    int64_t stride;       /* of the source's rows */
    int64_t part_width;
    int64_t width; /* of the window */
    struct tap *columns, *rows;
    int16_t *sums;   /* [2, width, 3] */
    int64_t held[2]; /* which row of the part each of them has */
};

static void resizing_end(struct resizing *resizing)
{
    free(resizing->columns);
    free(resizing->rows);
    free(resizing->sums);
}

static bool is_inside(const struct df_image_part *part, int64_t width, int64_t height)
{
    return part->x >= 0 && part->y >= 0 && part->x + part->width <= width && part->y + part->height <= height;
}

/* A part of the source to width x height, of which the window is made. To be ended in either case. */
static int resizing_begin(struct resizing *resizing, const struct df_image *source,
                          const struct df_image_part *part, int64_t width, int64_t height,
                          const struct df_image_part *window)
{
    *resizing = (struct resizing){.first = source->pixels + (part->y * source->width + part->x) * 3,
                                  .stride = source->width * 3,
                                  .part_width = part->width,
                                  .width = window->width,
                                  .held = {-1, -1}};
    assert(source->channels == 3 && is_inside(part, source->width, source->height));
    DF_TRY(df_image_check_size(window->width, window->height));
    assert(is_inside(window, width, height));
    resizing->columns = malloc((size_t)window->width * sizeof *resizing->columns);
    resizing->rows = malloc((size_t)window->height * sizeof *resizing->rows);
    resizing->sums = malloc(2 * (size_t)window->width * 3 * sizeof *resizing->sums);
    if (!resizing->columns || !resizing->rows || !resizing->sums)
        return df_error_memory("resizing an image",
                               (unsigned long long)(window->width + window->height) * sizeof *resizing->rows);
    make_taps(resizing->columns, part->width, width, window->x, window->width, 1);
    make_taps(resizing->rows, part->height, height, window->y, window->height, 0);
    return 0;
}

static void resizing_row(struct resizing *resizing, int64_t y, uint8_t *out)
{
    const int64_t values = resizing->width * 3;
    const struct tap *tap = &resizing->rows[y];
    const int16_t *taken[2];

    for (int k = 0; k < 2; k++) {
        /* Neighbouring rows have different parities, so a row that both taps of the next line need stays. */
        const int64_t row = tap->at[k];
        const int slot = (int)(row & 1);
        int16_t *sums = resizing->sums + slot * values;
        if (resizing->held[slot] != row)
            resize_row(resizing->first + row * resizing->stride, resizing->part_width, resizing->columns,
                       sums, resizing->width);
        resizing->held[slot] = row;
        taken[k] = sums;
    }
    blend_rows(taken[0], taken[1], tap->weight, out, values);
}

int df_resize_linear(const struct df_image *source, uint8_t *destination, int64_t width, int64_t height)
{
    const struct df_image_part all = {0, 0, width, height};

    return df_resize_linear_window(source, width, height, &all, destination, width);
}

int df_resize_linear_window(const struct df_image *source, int64_t width, int64_t height,
                            const struct df_image_part *window, uint8_t *destination, int64_t row_pixels)
{
    const struct df_image_part all = {0, 0, source->width, source->height};
    struct resizing resizing;

    const int status = resizing_begin(&resizing, source, &all, width, height, window);
    for (int64_t y = 0; status == 0 && y < window->height; y++)
        resizing_row(&resizing, y, destination + y * row_pixels * 3);
    resizing_end(&resizing);
    return status;
}

int df_resize_linear_part(const struct df_image *source, const struct df_image_part *part, int64_t width,
                          int64_t height, df_row_taker *take, void *result)
{
    const struct df_image_part all = {0, 0, width, height};
    struct resizing resizing;
    int status = -1;

    uint8_t *row = malloc((size_t)width * 3);
    if (resizing_begin(&resizing, source, part, width, height, &all) != 0)
        goto done;
    if (!row) {
        df_error_memory("resizing an image", (unsigned long long)width * 3);
        goto done;
    }
    for (int64_t y = 0; y < height; y++) {
        resizing_row(&resizing, y, row);
        take(result, y, row);
    }
    status = 0;
done:
    resizing_end(&resizing);
    free(row);
    return status;
}

static int64_t nearest_index(int64_t i, double step, int64_t count)
{
    return df_min_i64((int64_t)floor((double)i * step), count - 1);
}

void df_resize_nearest(const struct df_image *source, uint8_t *destination, int64_t width, int64_t height)
{
    const struct df_image_part all = {0, 0, width, height};

    df_resize_nearest_window(source, width, height, &all, destination, width);
}

void df_resize_nearest_window(const struct df_image *source, int64_t width, int64_t height,
                              const struct df_image_part *window, uint8_t *destination, int64_t row_pixels)
{
    enum { BLOCK = 512 }; /* columns whose indices are worked out at once, so that none need be allocated */
    int32_t columns[BLOCK];
    const double step_x = source_step(source->width, width);
    const double step_y = source_step(source->height, height);

    assert(source->channels == 1 && is_inside(window, width, height));
    for (int64_t start = 0; start < window->width; start += BLOCK) {
        const int64_t count = df_min_i64(BLOCK, window->width - start);
        for (int64_t x = 0; x < count; x++)
            columns[x] = (int32_t)nearest_index(window->x + start + x, step_x, source->width);
        for (int64_t y = 0; y < window->height; y++) {
            const int64_t from = nearest_index(window->y + y, step_y, source->height);
            const uint8_t *row = source->pixels + from * source->width;
            uint8_t *out = destination + y * row_pixels + start;
            for (int64_t x = 0; x < count; x++)
                out[x] = row[columns[x]];
        }
    }
}
