/* The Lovasz softmax loss. */
#include "enlarged.h"

#include "dinoft/error.h"

#include <stdlib.h>

enum { IGNORED = MORE_SIZES, TIED, OF_MODEL };
enum { WEIGHTS = MORE_TENSORS, SLOPES, GRADIENT, MORE };

static const float factor = 0.75f;

/* Reduced, kept and enlarged, but to less than twice the size: beyond the outer logits more than one row
 * would be equal but for rounding, and their ranks chance. Most classes absent, or all. Many pixels, which
 * are equal in large groups, and else not nearly so. */
static const int64_t lovasz_odd[][DF_CASE_SIZES] = {
    {1, 1, 1, 1, 1, 1},   {1, 4, 3, 3, 7, 5},  {2, 9, 12, 21, 17, 23},   {1, 8, 6, 150, 15, 11},
    {1, 5, 5, 255, 9, 9}, {2, 5, 7, 16, 5, 7}, {1, 9, 8, 32, 4, 3},      {3, 7, 15, 65, 13, 29},
    {1, 4, 4, 128, 6, 6}, {1, 2, 2, 5, 3, 3},  {2, 3, 3, 5, 6, 6, true}, {1, 64, 80, 2, 64, 80, false, true},
};

static int lovasz_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    enlarged_use(m, n);
    n[0][OF_MODEL] = true;
    return 1;
}

/* Of two classes. An error of one class is never what is left to 1 of another pixel's. */
static void make_ties(struct df_case *c)
{
    float *logits = c->tensors[LOGITS].values;

    for (int64_t i = 0; logits && i < logit_count(c); i += 2) {
        logits[i] = 0.0f;
        logits[i + 1] = rintf(8.0f * logits[i + 1]) / 8.0f + 0.02f;
    }
}

/* Of slopes. Among a model's many pixels there are some whose errors are equal but for rounding: their ranks
 * are chance, each of which changes a slope by some C / pixels. */
static double slope_tolerance(const struct df_case *c)
{
    return 1e-5 + (c->n[OF_MODEL] ? 50.0 * (double)c->n[CLASSES] / (double)pixels_of(c) : 0.0);
}

static void lovasz_build(struct df_case *c)
{
    df_case_in(c, DF_F32, logit_count(c), 0.0, 1.5);
    df_case_in_bytes(c, pixels_of(c), (int)c->n[CLASSES], true);
    df_case_in(c, DF_F32, c->n[CLASSES], 0.0, 1.0);
    df_case_out(c, DF_F32, pixels_of(c), slope_tolerance(c));
    df_case_out(c, DF_F32, logit_count(c), c->n[OF_MODEL] ? 1e-4 : 1e-5);
    df_case_out(c, DF_F32, 1, 1e-5);
    spread_weights(c, WEIGHTS);
    if (c->n[TIED])
        make_ties(c);
    if (c->n[IGNORED])
        ignore_labels(c);
}

static int lovasz_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_loss_terms terms = {.class_weights = run->memory[WEIGHTS]};
    struct df_upsample_loss work = enlarged_work(c, run);

    work.terms = &terms;
    return run->backend->ops->lovasz(run->backend, &work, factor, run->memory[SLOPES], run->memory[GRADIENT],
                                     run->memory[MORE]);
}

/* A pixel of one class. */
struct error {
    double error, p;
    int64_t pixel;
    bool own;
};

/* At the borders pixels are equal: they stay in order. */
static int compare(const void *a, const void *b)
{
    const struct error *x = a, *y = b;

    if (x->error == y->error)
        return (x->pixel > y->pixel) - (x->pixel < y->pixel);
    return (x->error < y->error) - (x->error > y->error);
}

static int64_t find_errors(const struct df_case *c, int64_t class, struct error *errors)
{
    double value[DF_MAX_CLASSES];
    int64_t count = 0;

    for (int64_t i = 0; i < pixels_of(c); i++) {
        const int label = c->tensors[LABELS].bytes[i];
        if (label == DF_IGNORE_LABEL)
            continue;
        enlarged_pixel(c, i, value);
        softmax(value, c->n[CLASSES]);
        const double p = value[class];
        errors[count++] = (struct error){label == class ? 1.0 - p : p, p, i, label == class};
    }
    return count;
}

static void add_share(struct df_case *c, int64_t class, int64_t pixel, double share)
{
    const struct bilinear_size size = size_of(c);
    struct bilinear_corner corners[4];

    c->tensors[SLOPES].expected[pixel] += share;
    bilinear_corners(&size, pixel % plane_of(c), corners);
    for (int i = 0; i < 4; i++)
        c->tensors[GRADIENT].expected[image_at(c, pixel) + corners[i].pixel * size.classes + class] +=
            corners[i].weight * share;
}

/* The extension as it is defined: each error times what the Jaccard loss of it and all larger ones has more.
 */
static void add_class(struct df_case *c, int64_t class, double scale, struct error *errors)
{
    const int64_t count = find_errors(c, class, errors);
    double all = 0.0, own = 0.0, before = 0.0;

    qsort(errors, (size_t)count, sizeof *errors, compare);
    for (int64_t i = 0; i < count; i++)
        all += errors[i].own;
    for (int64_t i = 0; i < count; i++) {
        own += errors[i].own;
        const double jaccard = 1.0 - (all - own) / (all + (double)(i + 1) - own);
        const double slope = scale * (jaccard - before);
        before = jaccard;
        c->tensors[MORE].expected[0] += slope * errors[i].error;
        add_share(c, class, errors[i].pixel, (errors[i].own ? -slope : slope) * errors[i].p);
    }
}

static void lovasz_expect(struct df_case *c)
{
    struct error *errors = malloc((size_t)pixels_of(c) * sizeof *errors);
    bool present[DF_MAX_CLASSES] = {false};
    double weight = 0.0, classes = 0.0;

    if (!errors) {
        c->failed = df_error_memory("errors", (unsigned long long)pixels_of(c) * sizeof *errors);
        return;
    }
    for (int64_t i = 0; i < pixels_of(c); i++) {
        const int label = c->tensors[LABELS].bytes[i];
        if (label == DF_IGNORE_LABEL)
            continue;
        weight += (double)c->tensors[WEIGHTS].values[label];
        classes += !present[label];
        present[label] = true;
    }
    for (int64_t k = 0; k < c->n[CLASSES]; k++) {
        if (present[k])
            add_class(c, k, (double)factor * weight / classes, errors);
    }
    free(errors);
}

DF_CASE_SET(lovasz, lovasz_odd, lovasz_uses);
