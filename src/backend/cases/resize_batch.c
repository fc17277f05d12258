/* Batches of decoded images: the plain loops are df_resize_linear and df_resize_nearest, bit for bit. */
#include "build.h"

#include "dinoft/size.h"

#include <math.h>
#include <string.h>

enum { COUNT, HEIGHT, WIDTH, PHOTOGRAPHS };
enum { BLOCK, TABLE, IMAGE, LABELS };

#define GAP        5    /* bytes between images */
#define WEIGHT_ONE 2048 /* 11 bits of fraction */

static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};

/* Enlarged, reduced, kept, and both at once. To 39 rows and 52 columns some nearest indices are rounded down.
 */
static const int32_t odd_sources[][2] = {{5, 3},   {1, 1},   {37, 50}, {133, 20}, {200, 90},
                                         {40, 33}, {2, 150}, {64, 1},  {129, 34}};

static const int64_t resize_batch_odd[][DF_CASE_SIZES] = {
    {0, 14, 14}, {9, 1, 1}, {9, 33, 40}, {9, 17, 129}, {9, 56, 70}, {9, 90, 200}, {9, 39, 52},
};

static int resize_batch_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = m->batch;
    n[0][HEIGHT] = m->height;
    n[0][WIDTH] = m->width;
    n[0][PHOTOGRAPHS] = true;
    return 1;
}

/* Where image i is, or mask i - count. */
static struct df_packed_image source(const struct df_case *c, int64_t i, int64_t offset)
{
    const int64_t at = i % c->n[COUNT];

    if (c->n[PHOTOGRAPHS]) /* none like the other */
        return (struct df_packed_image){offset, (int32_t)(500 - at % 100), (int32_t)(375 - at % 50)};
    return (struct df_packed_image){offset, odd_sources[at % DF_COUNT_OF(odd_sources)][0],
                                    odd_sources[at % DF_COUNT_OF(odd_sources)][1]};
}

/* Bytes of the block; entries [2 * count] of the table, or NULL. */
static int64_t lay_out(const struct df_case *c, uint8_t *entries)
{
    int64_t end = 0;

    for (int64_t i = 0; i < 2 * c->n[COUNT]; i++) {
        const struct df_packed_image entry = source(c, i, end + GAP);
        if (entries)
            memcpy(entries + (size_t)i * sizeof entry, &entry, sizeof entry);
        end = entry.offset + (i < c->n[COUNT] ? 3 : 1) * (int64_t)entry.width * entry.height;
    }
    return end;
}

static void resize_batch_build(struct df_case *c)
{
    const int64_t pixels = c->n[COUNT] * c->n[HEIGHT] * c->n[WIDTH];

    df_case_in_bytes(c, lay_out(c, NULL), 256, false);
    df_case_in_bytes(c, 2 * c->n[COUNT] * (int64_t)sizeof(struct df_packed_image), 256, false);
    df_case_out(c, DF_F32, 3 * pixels, 0.0);
    df_case_out(c, DF_U8, pixels, 0.0);
    lay_out(c, c->tensors[TABLE].bytes);
}

static int resize_batch_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_packed_image *images = run->memory[TABLE];
    struct df_packed_batch batch = {.count = c->n[COUNT],
                                    .height = c->n[HEIGHT],
                                    .width = c->n[WIDTH],
                                    .block = run->memory[BLOCK],
                                    .images = images,
                                    .masks = images + c->n[COUNT]};

    memcpy(batch.mean, mean, sizeof mean);
    memcpy(batch.std, deviation, sizeof deviation);
    return run->backend->ops->resize_batch(run->backend, &batch, run->memory[IMAGE], run->memory[LABELS]);
}

/* Two source rows or columns with their weights. At the edge both may be the same one. */
struct tap {
    int64_t at[2];
    int weight[2];
};

static struct tap make_tap(int64_t i, int64_t from, int64_t to, bool edge_is_one)
{
    const double step = 1.0 / ((double)to / (double)from);
    const float position = (float)(((double)i + 0.5) * step - 0.5);
    const int64_t whole = (int64_t)floorf(position), last = from - 1;
    const float fraction = edge_is_one && (whole < 0 || whole >= last) ? 0.0f : position - (float)whole;

    return (struct tap){
        {df_max_i64(df_min_i64(whole, last), 0), df_min_i64(whole + 1, last)},
        {(int)rintf((1.0f - fraction) * WEIGHT_ONE), (int)rintf(fraction * WEIGHT_ONE)},
    };
}

/* In OpenCV's fixed point: between columns first, without the last 4 bits, then between rows. */
static int mix(const uint8_t *pixels, const struct df_packed_image *from, struct tap y, struct tap x, int c)
{
    int sum = 0;

    for (int k = 0; k < 2; k++) {
        const uint8_t *row = pixels + y.at[k] * from->width * 3 + c;
        const int across = (row[3 * x.at[0]] * x.weight[0] + row[3 * x.at[1]] * x.weight[1]) >> 4;
        sum += across * y.weight[k] >> 16;
    }
    return (sum + 2) >> 2;
}

static void expect_image(struct df_case *c, int64_t number, const struct df_packed_image *from)
{
    const int64_t height = c->n[HEIGHT], width = c->n[WIDTH], plane = height * width;
    double *image = c->tensors[IMAGE].expected + number * 3 * plane;

    for (int64_t i = 0; i < plane; i++) {
        const struct tap y = make_tap(i / width, from->height, height, false),
                         x = make_tap(i % width, from->width, width, true);
        for (int k = 0; k < 3; k++) {
            const float value = (float)mix(c->tensors[BLOCK].bytes + from->offset, from, y, x, k);
            const float normalized = (value / 255.0f - mean[k]) / deviation[k];
            image[k * plane + i] = (double)normalized;
        }
    }
}

static int64_t nearest_index(int64_t i, int64_t from, int64_t to)
{
    const double step = 1.0 / ((double)to / (double)from);
    return df_min_i64((int64_t)floor((double)i * step), from - 1);
}

static void expect_labels(struct df_case *c, int64_t number, const struct df_packed_image *from)
{
    const int64_t height = c->n[HEIGHT], width = c->n[WIDTH];
    const uint8_t *mask = c->tensors[BLOCK].bytes + from->offset;

    for (int64_t i = 0; i < height * width; i++) {
        const int64_t y = nearest_index(i / width, from->height, height),
                      x = nearest_index(i % width, from->width, width);
        c->tensors[LABELS].expected[number * height * width + i] = (double)mask[y * from->width + x];
    }
}

static void resize_batch_expect(struct df_case *c)
{
    for (int64_t i = 0; i < 2 * c->n[COUNT]; i++) {
        struct df_packed_image entry;
        memcpy(&entry, c->tensors[TABLE].bytes + (size_t)i * sizeof entry, sizeof entry);
        if (i < c->n[COUNT])
            expect_image(c, i, &entry);
        else
            expect_labels(c, i - c->n[COUNT], &entry);
    }
}

static bool resizes(const struct df_backend *backend)
{
    return backend->resizes;
}

DF_CASE_SET(resize_batch, resize_batch_odd, resize_batch_uses, .supported = resizes);
