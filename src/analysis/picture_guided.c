/* The grid of patches is upsampled to the image halved so often that it is hardly larger than the grid, and
 * from there to twice the size until it is the image: positions and weights of a doubling are the same
 * everywhere, so that it is vectors' work, and a colour finds its way along a slope that is longer than the
 * nine neighbours.
 *
 * Numbers were chosen by eye, on photographs with a ViT-S/14: with a greater RANGE colours run over faint
 * edges, with a smaller one the image's texture shows. */
#include "dinoft/feature_picture.h"

#include "color_bytes.h"

#include "dinoft/error.h"
#include "dinoft/multiversion.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    GUIDE = 3,
    COLORS = DF_PATCH_COLORS,
    PLANES = GUIDE + COLORS,
    TAPS = 3,
    MAX_LEVELS = 16, /* DF_IMAGE_MAX_SIDE is 2^15 */
};

#define REACH 0.55f /* standard deviation in pixels of the coarser picture */
#define RANGE 18.0f /* the same in levels of the image, of 255 */

/* A picture of float32 planes [PLANES, h, w + 2]: the image's channels, 0 to 255, and the colours. A row's
 * ends are there once more beyond it. */
struct level {
    int64_t h, w;
    float *planes;
};

/* What a step fills: a level, or the picture that is asked for. */
struct target {
    int64_t h, w;
    struct level *level;          /* NULL: the picture */
    const struct df_image *image; /* its guide */
    struct df_image *picture;
};

/* Rows of the target at hand, each of `stride` floats. */
struct rows {
    int64_t stride;
    float *guide;  /* [GUIDE] */
    float *colors; /* [COLORS] */
    float *halves; /* [PLANES]: those of every other pixel */
};

static float *level_row(const struct level *level, int plane, int64_t y)
{
    return level->planes + ((int64_t)plane * level->h + y) * (level->w + 2) + 1;
}

static int level_open(struct level *level, int64_t h, int64_t w)
{
    const int64_t shape[] = {PLANES, h, w + 2};
    size_t count;

    level->h = h;
    level->w = w;
    level->planes = df_shape_count(shape, 3, &count) ? malloc(count * sizeof *level->planes) : NULL;
    return level->planes ? 0
                         : df_error_memory("a picture's halves", (unsigned long long)(PLANES * h * (w + 2)) *
                                                                     sizeof *level->planes);
}

static void repeat_ends(float *row, int64_t w)
{
    row[-1] = row[0];
    row[w] = row[w - 1];
}

static int rows_open(struct rows *rows, int64_t w)
{
    const size_t count = (size_t)w * (GUIDE + COLORS + PLANES);

    rows->stride = w;
    rows->guide = malloc(count * sizeof *rows->guide);
    if (!rows->guide)
        return df_error_memory("a picture's rows", count * sizeof *rows->guide);
    rows->colors = rows->guide + GUIDE * w;
    rows->halves = rows->colors + COLORS * w;
    return 0;
}

/* --- the guide --- */

static void read_guide(const struct target *from, int64_t y, float *guide, int64_t stride)
{
    if (from->level) {
        for (int c = 0; c < GUIDE; c++)
            memcpy(guide + c * stride, level_row(from->level, c, y), (size_t)from->w * sizeof *guide);
        return;
    }
    const uint8_t *pixels = from->image->pixels + y * from->w * GUIDE;
    for (int c = 0; c < GUIDE; c++)
        for (int64_t x = 0; x < from->w; x++)
            guide[c * stride + x] = pixels[GUIDE * x + c];
}

/* The guide of a level from that of twice the size. Beyond an odd size the last pixel counts twice. */
static void halve_guide(const struct target *from, struct level *level, struct rows *rows)
{
    for (int64_t y = 0; y < level->h; y++) {
        read_guide(from, 2 * y, rows->guide, rows->stride);
        read_guide(from, df_min_i64(2 * y + 1, from->h - 1), rows->colors, rows->stride);
        for (int c = 0; c < GUIDE; c++) {
            const float *upper = rows->guide + c * rows->stride, *lower = rows->colors + c * rows->stride;
            float *row = level_row(level, c, y);
            for (int64_t x = 0; x < level->w; x++) {
                const int64_t left = 2 * x, right = df_min_i64(2 * x + 1, from->w - 1);
                row[x] = 0.25f * (upper[left] + upper[right] + lower[left] + lower[right]);
            }
            repeat_ends(row, level->w);
        }
    }
}

/* The image's mean over the pixels of each of the grid's cells, at least one. */
static void average_cells(const struct df_image *image, struct level *grid)
{
    for (int64_t i = 0; i < grid->h * grid->w; i++) {
        const int64_t y = i / grid->w, x = i % grid->w;
        const int64_t top = y * image->height / grid->h, left = x * image->width / grid->w;
        const int64_t bottom = df_max_i64((y + 1) * image->height / grid->h, top + 1);
        const int64_t right = df_max_i64((x + 1) * image->width / grid->w, left + 1);
        int64_t sums[GUIDE] = {0};
        for (int64_t row = top; row < bottom; row++) {
            const uint8_t *pixels = image->pixels + row * image->width * GUIDE;
            for (int64_t p = GUIDE * left; p < GUIDE * right; p += GUIDE) {
                for (int c = 0; c < GUIDE; c++)
                    sums[c] += pixels[p + c];
            }
        }
        for (int c = 0; c < GUIDE; c++)
            level_row(grid, c, y)[x] = (float)sums[c] / (float)((bottom - top) * (right - left));
    }
}

/* The grid of patches as a level. */
static void fill_grid(struct level *grid, const float *colors, const struct df_image *image)
{
    average_cells(image, grid);
    for (int64_t y = 0; y < grid->h; y++) {
        for (int64_t x = 0; x < grid->w; x++)
            for (int c = 0; c < COLORS; c++)
                level_row(grid, GUIDE + c, y)[x] = colors[(y * grid->w + x) * COLORS + c];
        for (int plane = 0; plane < PLANES; plane++)
            repeat_ends(level_row(grid, plane, y), grid->w);
    }
}

/* --- a step --- */

/* Three rows of the coarser picture and their weights. */
struct source_rows {
    const float *planes[TAPS][PLANES];
    float weights[TAPS];
};

static float nearness(float distance)
{
    return expf(-0.5f * distance * distance / (REACH * REACH));
}

/* The three rows (or columns) nearest to where row i of `count` lies among `source` of them, from the
 * returned one on. */
static int64_t nearest_three(int64_t i, int64_t count, int64_t source, float weights[TAPS])
{
    const double position = ((double)i + 0.5) * (double)source / (double)count - 0.5;
    const int64_t first = (int64_t)floor(position + 0.5) - 1;

    for (int t = 0; t < TAPS; t++)
        weights[t] = nearness((float)((double)(first + t) - position));
    return first;
}

static void take_rows(const struct level *level, int64_t first, struct source_rows *rows)
{
    for (int t = 0; t < TAPS; t++) {
        const int64_t y = df_min_i64(df_max_i64(first + t, 0), level->h - 1);
        for (int plane = 0; plane < PLANES; plane++)
            rows->planes[t][plane] = level_row(level, plane, y);
    }
}

/* Adds a pixel of the coarser picture to the sums: colours and, last, the weight. Likeness is nearly a
 * Gaussian, but (1 + d^2 / 16 r^2)^-8 needs no exponential and does not vanish, so that a pixel that is like
 * none of the nine gets their mean. */
DF_INLINE void add_tap(const float *const planes[PLANES], int64_t at, float weight, const float guide[GUIDE],
                       float sums[COLORS + 1])
{
    const float red = planes[0][at] - guide[0];
    const float green = planes[1][at] - guide[1];
    const float blue = planes[2][at] - guide[2];
    const float square = red * red + green * green + blue * blue;
    const float fall = 1.0f / (1.0f + square * (1.0f / (16.0f * RANGE * RANGE)));
    const float fall2 = fall * fall, fall4 = fall2 * fall2;
    const float factor = weight * (fall4 * fall4);

#pragma GCC unroll 4
    for (int c = 0; c < COLORS; c++)
        sums[c] += factor * planes[GUIDE + c][at];
    sums[COLORS] += factor;
}

/* Pixel x of the target lies in pixel x of the coarser picture: all are even ones of a row, or odd ones. */
DF_MULTIVERSION static void double_pixels(const struct source_rows *source, const float columns[TAPS],
                                          const float *restrict guide, float *restrict colors, int64_t stride,
                                          int64_t count)
{
    for (int64_t x = 0; x < count; x++) {
        const float pixel[GUIDE] = {guide[x], guide[stride + x], guide[2 * stride + x]};
        float sums[COLORS + 1] = {0.0f};
#pragma GCC unroll 3
        for (int i = 0; i < TAPS; i++) {
#pragma GCC unroll 3
            for (int j = 0; j < TAPS; j++)
                add_tap(source->planes[i], x + j - 1, source->weights[i] * columns[j], pixel, sums);
        }
        const float scale = 1.0f / sums[COLORS];
#pragma GCC unroll 4
        for (int c = 0; c < COLORS; c++)
            colors[c * stride + x] = sums[c] * scale;
    }
}

static void split(const float *row, float *half, int64_t parity, int64_t w)
{
    for (int64_t x = parity; x < w; x += 2)
        half[x / 2] = row[x];
}

static void merge(const float *half, float *row, int64_t parity, int64_t w)
{
    for (int64_t x = parity; x < w; x += 2)
        row[x] = half[x / 2];
}

/* Row y from a level of half the size. */
static void double_row(const struct level *source, const struct target *to, int64_t y, struct rows *rows)
{
    const int64_t stride = rows->stride;
    struct source_rows three;
    float columns[TAPS];

    /* Whatever the size, pixel i lies at (i + 0.5) / 2 - 0.5. */
    take_rows(source, nearest_three(y, 2, 1, three.weights), &three);
    for (int64_t parity = 0; parity < 2; parity++) {
        const int64_t count = (to->w + 1 - parity) / 2;
        nearest_three(parity, 2, 1, columns);
        for (int c = 0; c < GUIDE; c++)
            split(rows->guide + c * stride, rows->halves + c * stride, parity, to->w);
        double_pixels(&three, columns, rows->halves, rows->halves + GUIDE * stride, stride, count);
        for (int c = 0; c < COLORS; c++)
            merge(rows->halves + (GUIDE + c) * stride, rows->colors + c * stride, parity, to->w);
    }
}

/* Row y from the grid, whose size is any. */
static void grid_row(const struct level *grid, const struct target *to, int64_t y, struct rows *rows)
{
    struct source_rows three;
    float columns[TAPS];

    take_rows(grid, nearest_three(y, to->h, grid->h, three.weights), &three);
    for (int64_t x = 0; x < to->w; x++) {
        const float pixel[GUIDE] = {rows->guide[x], rows->guide[rows->stride + x],
                                    rows->guide[2 * rows->stride + x]};
        float sums[COLORS + 1] = {0.0f};
        const int64_t first = nearest_three(x, to->w, grid->w, columns);
        for (int i = 0; i < TAPS; i++)
            for (int j = 0; j < TAPS; j++)
                add_tap(three.planes[i], first + j, three.weights[i] * columns[j], pixel, sums);
        for (int c = 0; c < COLORS; c++)
            rows->colors[c * rows->stride + x] = sums[c] / sums[COLORS];
    }
}

static void store_pixels(const struct rows *rows, uint8_t *pixels, int64_t w)
{
    const float *shown = rows->colors + (COLORS - 1) * rows->stride;

    for (int c = 0; c < 3; c++) {
        const float *color = rows->colors + c * rows->stride;
        for (int64_t x = 0; x < w; x++)
            pixels[3 * x + c] = shown[x] < 0.5f ? 0 : df_color_byte(color[x] / shown[x]);
    }
}

static void step(const struct level *source, bool from_grid, const struct target *to, struct rows *rows)
{
    for (int64_t y = 0; y < to->h; y++) {
        read_guide(to, y, rows->guide, rows->stride);
        if (from_grid)
            grid_row(source, to, y, rows);
        else
            double_row(source, to, y, rows);
        if (!to->level) {
            store_pixels(rows, to->picture->pixels + y * to->w * 3, to->w);
            continue;
        }
        for (int c = 0; c < COLORS; c++) {
            float *row = level_row(to->level, GUIDE + c, y);
            memcpy(row, rows->colors + c * rows->stride, (size_t)to->w * sizeof *row);
            repeat_ends(row, to->w);
        }
    }
}

/* --- all of them --- */

struct pyramid {
    struct level grid;
    struct level levels[MAX_LEVELS]; /* levels[i] is half of targets[i] */
    struct target targets[MAX_LEVELS + 1];
    int n_levels;
    struct rows rows;
};

/* Halves the image as long as the result has no fewer pixels than the grid in either direction. */
static int build(struct pyramid *pyramid, int64_t h, int64_t w, const struct df_image *image,
                 struct df_image *picture)
{
    struct target *target = pyramid->targets;

    *target = (struct target){image->height, image->width, NULL, image, picture};
    DF_TRY(rows_open(&pyramid->rows, image->width));
    DF_TRY(level_open(&pyramid->grid, h, w));
    while ((target->h + 1) / 2 >= h && (target->w + 1) / 2 >= w && target->h > 1 && target->w > 1) {
        struct level *level = &pyramid->levels[pyramid->n_levels++];
        DF_TRY(level_open(level, (target->h + 1) / 2, (target->w + 1) / 2));
        halve_guide(target, level, &pyramid->rows);
        *++target = (struct target){level->h, level->w, level, NULL, NULL};
    }
    return 0;
}

int df_picture_guided(const float *colors, int64_t h, int64_t w, const struct df_image *image,
                      struct df_image *picture)
{
    struct pyramid pyramid = {.n_levels = 0};
    int status = -1;

    DF_TRY(df_image_alloc(picture, image->width, image->height, 3));
    if (build(&pyramid, h, w, image, picture) == 0) {
        fill_grid(&pyramid.grid, colors, image);
        step(&pyramid.grid, true, &pyramid.targets[pyramid.n_levels], &pyramid.rows);
        for (int i = pyramid.n_levels - 1; i >= 0; i--)
            step(&pyramid.levels[i], false, &pyramid.targets[i], &pyramid.rows);
        status = 0;
    }
    for (int i = 0; i < pyramid.n_levels; i++)
        free(pyramid.levels[i].planes);
    free(pyramid.grid.planes);
    free(pyramid.rows.guide);
    if (status != 0)
        df_image_free(picture);
    return status;
}
