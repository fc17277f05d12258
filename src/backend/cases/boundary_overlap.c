/* The boundaries of classes. */
#include "build.h"

#include "dinoft/labels.h"

#include <math.h>

enum { HEIGHT, WIDTH, CLASSES, REACH, SIDE };
enum { PREDICTION, LABELS, OVERLAP };

/* SIDE: of the squares that the maps are made of. Reaches below and above it, and beyond the image. */
static const int64_t boundary_overlap_odd[][DF_CASE_SIZES] = {
    {0, 5, 3, 1, 4},    {1, 1, 1, 1, 1},    {7, 9, 2, 1, 3},    {20, 31, 5, 2, 6},
    {31, 20, 21, 3, 9}, {40, 3, 4, 1, 3},   {3, 40, 4, 1, 3},   {24, 24, 1, 4, 24},
    {33, 37, 2, 5, 16}, {12, 15, 3, 40, 5}, {70, 90, 3, 2, 30}, {30, 30, 255, 2, 6},
};

static int boundary_overlap_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][HEIGHT] = m->height;
    n[0][WIDTH] = m->width;
    n[0][CLASSES] = m->classes;
    n[0][REACH] = 1 + (m->height + m->width) / 70; /* 2 % of a square's diagonal */
    n[0][SIDE] = 60;
    return 1;
}

/* Squares of one class, those of the labels shifted, with some pixels in between. */
static void make_squares(struct df_case *c, int tensor, int64_t shift)
{
    uint8_t *bytes = c->tensors[tensor].bytes;
    const int64_t width = c->n[WIDTH], side = c->n[SIDE];

    for (int64_t i = 0; bytes && i < c->n[HEIGHT] * width; i++) {
        const int64_t square = (i / width + shift) / side * 7 + (i % width + shift) / side;
        if (i % 211 != 3)
            bytes[i] = (uint8_t)(square % 5 == 3 && shift > 0 ? DF_IGNORE_LABEL : square % c->n[CLASSES]);
    }
}

static void boundary_overlap_build(struct df_case *c)
{
    const int64_t pixels = c->n[HEIGHT] * c->n[WIDTH];

    df_case_in_bytes(c, pixels, (int)c->n[CLASSES], false);
    df_case_in_bytes(c, pixels, (int)c->n[CLASSES], true);
    df_case_out(c, DF_I64, 3 * c->n[CLASSES], 0.0);
    make_squares(c, PREDICTION, 0);
    make_squares(c, LABELS, 1 + c->n[SIDE] / 8);
}

static int boundary_overlap_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->boundary_overlap(run->backend, run->memory[PREDICTION], run->memory[LABELS],
                                               c->n[HEIGHT], c->n[WIDTH], c->n[CLASSES], c->n[REACH],
                                               run->memory[OVERLAP]);
}

/* Whether a pixel within reach, or beyond the image's edge, is of another class. */
static bool is_boundary(const struct df_case *c, int tensor, int64_t i)
{
    const uint8_t *map = c->tensors[tensor].bytes;
    const int64_t height = c->n[HEIGHT], width = c->n[WIDTH], reach = c->n[REACH];
    const int64_t top = i / width - reach, left = i % width - reach;

    if (top < 0 || left < 0 || top + 2 * reach >= height || left + 2 * reach >= width)
        return true;
    for (int64_t y = top; y <= top + 2 * reach; y++) {
        for (int64_t x = left; x <= left + 2 * reach; x++) {
            if (map[y * width + x] != map[i])
                return true;
        }
    }
    return false;
}

static void boundary_overlap_expect(struct df_case *c)
{
    const uint8_t *prediction = c->tensors[PREDICTION].bytes, *labels = c->tensors[LABELS].bytes;
    double *overlap = c->tensors[OVERLAP].expected;

    for (int64_t i = 0; i < c->n[HEIGHT] * c->n[WIDTH]; i++) {
        if (labels[i] == DF_IGNORE_LABEL)
            continue;
        const bool predicted = is_boundary(c, PREDICTION, i), labelled = is_boundary(c, LABELS, i);
        overlap[3 * prediction[i]] += predicted;
        overlap[3 * labels[i] + 1] += labelled;
        overlap[3 * labels[i] + 2] += predicted && labelled && prediction[i] == labels[i];
    }
}

DF_CASE_SET(boundary_overlap, boundary_overlap_odd, boundary_overlap_uses);
