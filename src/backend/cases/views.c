/* Averages over windows and views of one image. */
#include "bilinear.h"
#include "build.h"

#include "dinoft/error.h"

#include <float.h>

/* --- add_window, add_probabilities: logits, sum --- */

enum { H, W, CLASSES, HEIGHT, WIDTH, MIRRORED, BEYOND = MIRRORED };
enum { LOGITS, SUM, ROW_WEIGHT, COLUMN_WEIGHT };

/* A window that lies in a larger canvas, or reaches beyond all sides of a smaller one. */
enum { TOP = 2, LEFT = 3, MORE_ROWS = 4, MORE_COLUMNS = 5 };

static struct df_window window_of(const struct df_case *c)
{
    const int sign = c->n[BEYOND] ? -1 : 1;

    return (struct df_window){.h = c->n[H],
                              .w = c->n[W],
                              .classes = c->n[CLASSES],
                              .top = sign * TOP,
                              .left = sign * LEFT,
                              .height = c->n[HEIGHT],
                              .width = c->n[WIDTH],
                              .canvas_height = c->n[HEIGHT] + sign * MORE_ROWS,
                              .canvas_width = c->n[WIDTH] + sign * MORE_COLUMNS};
}

/* Numbers of classes that choose how threads and lanes share them; enlarged, reduced, kept. */
#define SIZES(mirrored)                                                                                      \
    {1, 1, 1, 1, 1, mirrored}, {3, 4, 21, 17, 23, mirrored}, {5, 3, 150, 35, 21, mirrored},                  \
        {2, 3, 255, 9, 10, mirrored}, {7, 7, 16, 7, 7, mirrored}, {9, 8, 17, 4, 3, mirrored},                \
        {2, 3, 32, 5, 70, mirrored}, {3, 3, 60, 6, 9, mirrored}, {2, 2, 100, 5, 11, mirrored},               \
    {                                                                                                        \
        1, 5, 5, 3, 33, mirrored                                                                             \
    }

static const int64_t add_window_odd[][DF_CASE_SIZES] = {
    SIZES(false),
    {3, 4, 21, 17, 23, true},
    {5, 3, 150, 35, 21, true},
    {4, 2, 16, 5, 6, true},
};
static const int64_t add_probabilities_odd[][DF_CASE_SIZES] = {SIZES(false), SIZES(true)};

static int view_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][H] = m->height / m->patch;
    n[0][W] = m->width / m->patch;
    n[0][CLASSES] = m->classes;
    n[0][HEIGHT] = m->height;
    n[0][WIDTH] = m->width;
    n[0][MIRRORED] = true;
    return 1;
}

static struct bilinear_size size_of(const struct df_case *c)
{
    return (struct bilinear_size){c->n[H], c->n[W], c->n[CLASSES], c->n[HEIGHT], c->n[WIDTH]};
}

static void add_window_build(struct df_case *c)
{
    const struct df_window window = window_of(c);
    const int64_t canvas = window.canvas_height * window.canvas_width;

    df_case_in(c, DF_F32, c->n[H] * c->n[W] * c->n[CLASSES], 0.0, 3.0);
    df_case_in_out(c, DF_F32, canvas * c->n[CLASSES], 0.0, 1.0, 2e-6);
    df_case_in(c, DF_F32, c->n[HEIGHT], 0.5, 0.1);
    df_case_on_host(c);
    df_case_in(c, DF_F32, c->n[WIDTH], 0.5, 0.1);
    df_case_on_host(c);
}

static int add_window_call(const struct df_case *c, struct df_case_run *run)
{
    struct df_window window = window_of(c);

    window.row_weight = run->memory[ROW_WEIGHT];
    window.column_weight = run->memory[COLUMN_WEIGHT];
    return run->backend->ops->add_window(run->backend, &window, run->memory[LOGITS], run->memory[SUM]);
}

static void add_window_expect(struct df_case *c)
{
    const struct bilinear_size size = size_of(c);
    const struct df_window window = window_of(c);
    double value[DF_MAX_CLASSES];

    for (int64_t i = 0; i < size.height * size.width; i++) {
        const int64_t y = i / size.width, x = i % size.width, row = window.top + y, column = window.left + x;
        const int64_t at = row * window.canvas_width + column;
        if (row < 0 || row >= window.canvas_height || column < 0 || column >= window.canvas_width)
            continue;
        const double weight =
            (double)c->tensors[ROW_WEIGHT].values[y] * (double)c->tensors[COLUMN_WEIGHT].values[x];
        bilinear_pixel(&size, c->tensors[LOGITS].values, i, value);
        for (int64_t k = 0; k < size.classes; k++)
            c->tensors[SUM].expected[at * size.classes + k] += weight * value[k];
    }
}

DF_CASE_SET(add_window, add_window_odd, view_uses);

static void add_probabilities_build(struct df_case *c)
{
    df_case_in(c, DF_F32, c->n[H] * c->n[W] * c->n[CLASSES], 0.0, 4.0);
    df_case_in_out(c, DF_F32, c->n[HEIGHT] * c->n[WIDTH] * c->n[CLASSES], 0.5, 0.1, 4e-6);
}

static int add_probabilities_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->add_probabilities(run->backend, run->memory[LOGITS], c->n[H], c->n[W],
                                                c->n[CLASSES], c->n[MIRRORED], run->memory[SUM], c->n[HEIGHT],
                                                c->n[WIDTH]);
}

static void add_probabilities_expect(struct df_case *c)
{
    const struct bilinear_size size = size_of(c);
    double value[DF_MAX_CLASSES];

    for (int64_t i = 0; i < size.height * size.width; i++) {
        const int64_t y = i / size.width, x = i % size.width;
        const int64_t at = y * size.width + (c->n[MIRRORED] ? size.width - 1 - x : x);
        bilinear_pixel(&size, c->tensors[LOGITS].values, i, value);
        softmax(value, size.classes);
        for (int64_t k = 0; k < size.classes; k++)
            c->tensors[SUM].expected[at * size.classes + k] += value[k];
    }
}

DF_CASE_SET(add_probabilities, add_probabilities_odd, view_uses);

/* --- argmax --- */

enum { COUNT, OF_CLASSES, VIEWS, LABELLED, ON_DEVICE, CONFIDENT };
enum { PROBABILITIES, LABELS, PREDICTION, LOSS, CONFIDENCE };

/* The last has more pixels than the device's blocks take one step each. */
static const int64_t argmax_odd[][DF_CASE_SIZES] = {
    {0, 21, 1, true},
    {0, 21, 1, true, true},
    {1, 1, 1, true},
    {1000, 37, 3, true},
    {1000, 37, 3},
    {301, 150, 3, true},
    {301, 150, 3},
    {65, 255, 3, true},
    {65, 255, 3},
    {700, 21, 3, true},
    {700, 21, 3},
    {131, 5, 2, true, true, true},
    {131, 16, 4, true},
    {131, 32, 4, true},
    {70, 128, 4, true},
    {132000, 2, 3, true},
    {70, 150, 4, false, false, true},
    {0, 21, 1, true, true, true},
};

static int argmax_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = m->height * m->width;
    n[0][OF_CLASSES] = m->classes;
    n[0][VIEWS] = 4;
    n[0][LABELLED] = true;
    return 1;
}

/* Ties, which are the lowest class, and labels whose probability has underflowed: they cost much, not
 * everything. */
static void make_special(struct df_case *c)
{
    const int64_t classes = c->n[OF_CLASSES];
    float *sums = c->tensors[PROBABILITIES].values;
    const uint8_t *labels = c->tensors[LABELS].bytes;

    for (int64_t i = 0; sums && i < c->n[COUNT]; i++) {
        float *pixel = sums + i * classes;
        if (i % 5 == 0)
            pixel[classes / 3] = pixel[classes - 1] = 9.0f;
        if (c->n[LABELLED] && labels && labels[i] != DF_IGNORE_LABEL && i % 11 == 2)
            pixel[labels[i]] = 0.0f;
    }
}

static void argmax_build(struct df_case *c)
{
    df_case_in(c, DF_F32, c->n[COUNT] * c->n[OF_CLASSES], 1.0, 0.2);
    df_case_in_bytes(c, c->n[LABELLED] ? c->n[COUNT] : 0, (int)c->n[OF_CLASSES], true);
    df_case_out(c, DF_U8, c->n[COUNT], 0.0);
    df_case_in_bytes(c, sizeof(struct df_loss_sum), 256, false);
    df_case_out(c, DF_F32, c->n[CONFIDENT] ? c->n[COUNT] : 0, 1e-6);
    c->n_scalars = 2;
    c->scalar_tolerance = 1e-9;
    make_special(c);
}

static int argmax_call(const struct df_case *c, struct df_case_run *run)
{
    struct df_backend *backend = run->backend;
    struct df_loss_sum *on_device = c->n[ON_DEVICE] ? run->memory[LOSS] : NULL, loss = {0};

    DF_TRY(backend->ops->argmax(backend, run->memory[PROBABILITIES], c->n[COUNT], c->n[OF_CLASSES],
                                c->n[VIEWS], c->n[LABELLED] ? run->memory[LABELS] : NULL,
                                run->memory[PREDICTION], c->n[CONFIDENT] ? run->memory[CONFIDENCE] : NULL,
                                on_device, &loss));
    if (on_device)
        DF_TRY(backend->ops->download(backend, &loss, on_device, sizeof loss));
    run->scalars[0] = loss.sum;
    run->scalars[1] = (double)loss.count;
    return 0;
}

static void argmax_expect(struct df_case *c)
{
    const int64_t classes = c->n[OF_CLASSES];
    double pixel[DF_MAX_CLASSES];

    for (int64_t i = 0; i < c->n[COUNT]; i++) {
        for (int64_t k = 0; k < classes; k++)
            pixel[k] = (double)c->tensors[PROBABILITIES].values[i * classes + k];
        const int64_t best = first_largest(pixel, classes);
        c->tensors[PREDICTION].expected[i] = (double)best;
        if (c->n[CONFIDENT])
            c->tensors[CONFIDENCE].expected[i] = pixel[best] / (double)c->n[VIEWS];
        if (!c->n[LABELLED] || c->tensors[LABELS].bytes[i] == DF_IGNORE_LABEL)
            continue;
        c->expected_scalars[0] -=
            log(fmax(pixel[c->tensors[LABELS].bytes[i]], (double)FLT_MIN) / (double)c->n[VIEWS]);
        c->expected_scalars[1]++;
    }
}

DF_CASE_SET(argmax, argmax_odd, argmax_uses);
