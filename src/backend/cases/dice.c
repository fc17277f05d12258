/* The sums of the Dice loss. */
#include "enlarged.h"

enum { IGNORED = MORE_SIZES };
enum { WEIGHTS = MORE_TENSORS, REGION, MORE };

static const float factor = 0.75f;

/* Numbers of classes that choose how lanes share them; few pixels and many; most classes absent, or all. */
static const int64_t dice_odd[][DF_CASE_SIZES] = {
    {1, 1, 1, 1, 1, 1},   {1, 1, 1, 3, 7, 5},   {2, 3, 4, 21, 17, 23},    {1, 5, 3, 150, 35, 21},
    {1, 2, 3, 255, 9, 9}, {2, 5, 7, 16, 5, 7},  {1, 9, 8, 32, 4, 3},      {3, 4, 4, 65, 13, 29},
    {1, 3, 4, 64, 13, 9}, {1, 2, 2, 128, 6, 6}, {2, 3, 3, 5, 6, 6, true}, {1, 8, 9, 5, 411, 331},
};

static int dice_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    enlarged_use(m, n);
    return 1;
}

static void dice_build(struct df_case *c)
{
    df_case_in(c, DF_F32, logit_count(c), 0.0, 3.0);
    df_case_in_bytes(c, pixels_of(c), (int)c->n[CLASSES], true);
    df_case_in(c, DF_F32, c->n[CLASSES], 0.0, 1.0);
    df_case_out(c, DF_F32, 2 * c->n[CLASSES], 2e-6);
    df_case_out(c, DF_F32, 1, 2e-6);
    spread_weights(c, WEIGHTS);
    if (c->n[IGNORED])
        ignore_labels(c);
}

static int dice_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_loss_terms terms = {.class_weights = run->memory[WEIGHTS]};
    struct df_upsample_loss work = enlarged_work(c, run);

    work.terms = &terms;
    return run->backend->ops->dice(run->backend, &work, factor, run->memory[REGION], run->memory[MORE]);
}

struct sums {
    double all[DF_MAX_CLASSES], hits[DF_MAX_CLASSES], count[DF_MAX_CLASSES], weight;
};

static void add_pixels(const struct df_case *c, struct sums *sums)
{
    const int64_t classes = c->n[CLASSES];
    double value[DF_MAX_CLASSES];

    for (int64_t i = 0; i < pixels_of(c); i++) {
        const int label = c->tensors[LABELS].bytes[i];
        if (label == DF_IGNORE_LABEL)
            continue;
        enlarged_pixel(c, i, value);
        softmax(value, classes);
        for (int64_t k = 0; k < classes; k++)
            sums->all[k] += value[k];
        sums->hits[label] += value[label];
        sums->count[label] += 1.0;
        sums->weight += (double)c->tensors[WEIGHTS].values[label];
    }
}

static void dice_expect(struct df_case *c)
{
    const int64_t classes = c->n[CLASSES];
    double *region = c->tensors[REGION].expected;
    struct sums sums = {.weight = 0.0};

    add_pixels(c, &sums);
    for (int64_t k = 0; k < classes; k++) {
        const double size = sums.all[k] + sums.count[k],
                     scale = (double)factor * sums.weight / (double)classes;
        if (sums.count[k] == 0.0)
            continue;
        c->tensors[MORE].expected[0] += scale * (1.0 - 2.0 * sums.hits[k] / size);
        region[k] = scale * 2.0 * sums.hits[k] / (size * size);
        region[classes + k] = scale * 2.0 / size;
    }
}

DF_CASE_SET(dice, dice_odd, dice_uses);
