/* Pixels to normalised images, images to patches. */
#include "build.h"

/* --- image_normalize: pixels [B, H, W, 3], image [B, 3, H, W] --- */

enum { BATCH, HEIGHT, WIDTH, DIVISOR };
enum { PIXELS, IMAGE };

/* One pixel at a time and four; 768 of each channel, which are nearly all bytes, by several divisors: the
 * quotients are those of a long division. */
static const int64_t normalize_odd[][DF_CASE_SIZES] = {
    {1, 1, 1},      {2, 1, 4},      {2, 6, 9},      {3, 5, 7},       {1, 33, 37},     {2, 28, 42},
    {1, 16, 48, 1}, {1, 16, 48, 2}, {1, 16, 48, 3}, {1, 16, 48, 4},  {1, 16, 48, 5},  {1, 16, 48, 6},
    {1, 16, 48, 7}, {1, 16, 48, 8}, {1, 16, 48, 9}, {1, 16, 48, 10}, {1, 16, 48, 11}, {1, 16, 48, 12},
};

static int normalize_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][HEIGHT] = m->height;
    n[0][WIDTH] = m->width;
    return 1;
}

static void image_normalize_build(struct df_case *c)
{
    const int64_t count = c->n[BATCH] * c->n[HEIGHT] * c->n[WIDTH] * 3;

    df_case_in_bytes(c, count, 256, false);
    df_case_out(c, DF_F32, count, 0.0);
}

/* ImageNet's, or others. */
static void choose_colours(const struct df_case *c, float mean[3], float std[3])
{
    static const float imagenet_mean[3] = {0.485f, 0.456f, 0.406f};
    static const float imagenet_std[3] = {0.229f, 0.224f, 0.225f};
    const int64_t divisor = c->n[DIVISOR];

    for (int64_t i = 0; i < 3; i++) {
        mean[i] = divisor ? (float)((divisor * 3 + i) * 7 % 37) / 37.0f : imagenet_mean[i];
        std[i] = divisor ? 0.05f + (float)((divisor * 3 + i) * 11 % 39) / 20.0f : imagenet_std[i];
    }
}

static int image_normalize_call(const struct df_case *c, struct df_case_run *run)
{
    float mean[3], std[3];

    choose_colours(c, mean, std);
    return run->backend->ops->image_normalize(run->backend, run->memory[PIXELS], run->memory[IMAGE],
                                              c->n[BATCH], c->n[HEIGHT], c->n[WIDTH], mean, std);
}

/* In float32, where it is exact. */
static void image_normalize_expect(struct df_case *c)
{
    const int64_t plane = c->n[HEIGHT] * c->n[WIDTH];
    float mean[3], std[3];

    choose_colours(c, mean, std);
    for (int64_t i = 0; i < c->n[BATCH] * 3 * plane; i++) {
        const int64_t b = i / (3 * plane), channel = i / plane % 3, at = i % plane;
        const float value = (float)c->tensors[PIXELS].bytes[(b * plane + at) * 3 + channel] / 255.0f;
        c->tensors[IMAGE].expected[i] = (double)((value - mean[channel]) / std[channel]);
    }
}

DF_CASE_SET(image_normalize, normalize_odd, normalize_uses);

/* --- patchify: image [B, 3, rows * p, columns * p], patches [B * rows * columns, 3 * p * p] --- */

enum { ROWS = 1, COLUMNS, PATCH };
enum { WHOLE, PATCHES };

/* The eleven take several blocks a row of patches, the last not full; the long row more than one chunk. */
static const int64_t patchify_odd[][DF_CASE_SIZES] = {
    {1, 1, 1, 1},  {2, 2, 3, 1},  {1, 1, 11, 1},  {1, 1, 1, 3},    {2, 2, 3, 3},  {1, 1, 11, 3},
    {1, 1, 1, 8},  {2, 2, 3, 8},  {1, 1, 11, 8},  {1, 1, 1, 14},   {2, 2, 3, 14}, {1, 1, 11, 14},
    {1, 1, 1, 16}, {2, 2, 3, 16}, {1, 1, 11, 16}, {1, 1, 4099, 1},
};

static int patchify_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BATCH] = m->batch;
    n[0][ROWS] = m->height / m->patch;
    n[0][COLUMNS] = m->width / m->patch;
    n[0][PATCH] = m->patch;
    return 1;
}

static int64_t image_count(const struct df_case *c)
{
    return c->n[BATCH] * 3 * c->n[ROWS] * c->n[COLUMNS] * c->n[PATCH] * c->n[PATCH];
}

static void patchify_build(struct df_case *c)
{
    df_case_in(c, DF_F32, image_count(c), 0.0, 1.0);
    df_case_out(c, c->act, image_count(c), 0.0);
}

static int patchify_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->patchify(run->backend, run->memory[WHOLE], run->memory[PATCHES], c->n[BATCH],
                                       c->n[ROWS] * c->n[PATCH], c->n[COLUMNS] * c->n[PATCH], c->n[PATCH]);
}

static void patchify_expect(struct df_case *c)
{
    const int64_t p = c->n[PATCH], height = c->n[ROWS] * p, width = c->n[COLUMNS] * p;

    for (int64_t i = 0; i < image_count(c); i++) { /* i = ((b * 3 + channel) * height + y) * width + x */
        const int64_t x = i % width, y = i / width % height, channel = i / (width * height) % 3;
        const int64_t row = i / (width * height * 3) * c->n[ROWS] + y / p;
        const int64_t patch = row * c->n[COLUMNS] + x / p;
        c->tensors[PATCHES].expected[(patch * 3 + channel) * p * p + y % p * p + x % p] =
            (double)c->tensors[WHOLE].values[i];
    }
}

DF_CASE_SET(patchify, patchify_odd, patchify_uses);
