/* What the cases of losses share: logits [B, h, w, C] that are enlarged to [B, H, W, C], and labels of the
 * pixels. Their first sizes and tensors are these. */
#ifndef DINOFT_CASES_ENLARGED_H
#define DINOFT_CASES_ENLARGED_H

#include "bilinear.h"
#include "build.h"

#include "dinoft/labels.h"

#include <string.h>

enum { BATCH, H, W, CLASSES, HEIGHT, WIDTH, MORE_SIZES };
enum { LOGITS, LABELS, MORE_TENSORS };

/* A model's use of these sizes; what n[0] has behind them stays. */
static inline void enlarged_use(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    const int64_t sizes[MORE_SIZES] = {
        m->batch, m->height / m->patch, m->width / m->patch, m->classes, m->height, m->width};

    memcpy(n[0], sizes, sizeof sizes);
}

static inline struct bilinear_size size_of(const struct df_case *c)
{
    return (struct bilinear_size){c->n[H], c->n[W], c->n[CLASSES], c->n[HEIGHT], c->n[WIDTH]};
}

static inline int64_t logit_count(const struct df_case *c)
{
    return c->n[BATCH] * c->n[H] * c->n[W] * c->n[CLASSES];
}

static inline int64_t plane_of(const struct df_case *c)
{
    return c->n[HEIGHT] * c->n[WIDTH];
}

static inline int64_t pixels_of(const struct df_case *c)
{
    return c->n[BATCH] * plane_of(c);
}

/* Where the logits of the pixel's image begin. */
static inline int64_t image_at(const struct df_case *c, int64_t pixel)
{
    return pixel / plane_of(c) * c->n[H] * c->n[W] * c->n[CLASSES];
}

/* The enlarged logits [C] of a pixel. */
static inline void enlarged_pixel(const struct df_case *c, int64_t pixel, double *value)
{
    const struct bilinear_size size = size_of(c);

    bilinear_pixel(&size, c->tensors[LOGITS].values + image_at(c, pixel), pixel % plane_of(c), value);
}

static inline struct df_upsample_loss enlarged_work(const struct df_case *c, const struct df_case_run *run)
{
    return (struct df_upsample_loss){.batch = c->n[BATCH],
                                     .h = c->n[H],
                                     .w = c->n[W],
                                     .classes = c->n[CLASSES],
                                     .height = c->n[HEIGHT],
                                     .width = c->n[WIDTH],
                                     .logits = run->memory[LOGITS],
                                     .labels = run->memory[LABELS]};
}

/* No pixel has a label. */
static inline void ignore_labels(struct df_case *c)
{
    if (c->tensors[LABELS].bytes)
        memset(c->tensors[LABELS].bytes, DF_IGNORE_LABEL, (size_t)c->tensors[LABELS].count);
}

/* A tensor [C] of weights, none of which is 0. */
static inline void spread_weights(struct df_case *c, int tensor)
{
    for (int64_t k = 0; c->tensors[tensor].values && k < c->n[CLASSES]; k++)
        c->tensors[tensor].values[k] = (float)(k % 3) + 0.5f;
}

#endif
