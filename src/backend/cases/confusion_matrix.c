/* The confusion matrix. */
#include "build.h"

#include "dinoft/rng.h"

enum { COUNT, CLASSES };
enum { PREDICTION, LABELS, MATRIX };

/* Around the runs of pixels that a thread of the device has, and its blocks; matrices small and large. */
static const int64_t confusion_matrix_odd[][DF_CASE_SIZES] = {
    {0, 1},   {0, 21},    {1, 21},   {15, 21},  {16, 21},  {17, 21},   {17, 1},     {17, 255},
    {1, 150}, {4096, 21}, {4096, 2}, {5003, 1}, {5003, 2}, {5003, 21}, {5003, 150}, {5003, 255},
};

static int confusion_matrix_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = m->height * m->width;
    n[0][CLASSES] = m->classes;
    return 1;
}

/* Equal neighbours, in runs of which some have one pixel, as a map of classes has them. */
static void make_runs(struct df_case *c, int tensor)
{
    uint8_t *bytes = c->tensors[tensor].bytes;
    struct df_rng rng;

    df_rng_seed(&rng, c->seed, DF_CASE_TENSORS); /* the same runs in both, mostly */
    for (int64_t i = 1; bytes && i < c->n[COUNT]; i++) {
        if (df_rng_below(&rng, 5) > 0)
            bytes[i] = bytes[i - 1];
    }
}

static void confusion_matrix_build(struct df_case *c)
{
    df_case_in_bytes(c, c->n[COUNT], (int)c->n[CLASSES], false);
    df_case_in_bytes(c, c->n[COUNT], (int)c->n[CLASSES], true);
    df_case_out(c, DF_I64, (int64_t)df_confusion_count(c->n[CLASSES]), 0.0);
    make_runs(c, PREDICTION);
    make_runs(c, LABELS);
}

static int confusion_matrix_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->confusion_matrix(run->backend, run->memory[PREDICTION], run->memory[LABELS],
                                               c->n[COUNT], c->n[CLASSES], run->memory[MATRIX]);
}

static void confusion_matrix_expect(struct df_case *c)
{
    const uint8_t *prediction = c->tensors[PREDICTION].bytes, *labels = c->tensors[LABELS].bytes;

    for (int64_t i = 0; i < c->n[COUNT]; i++) {
        const int64_t row = labels[i] == DF_IGNORE_LABEL ? c->n[CLASSES] : labels[i];
        c->tensors[MATRIX].expected[row * c->n[CLASSES] + prediction[i]]++;
    }
}

DF_CASE_SET(confusion_matrix, confusion_matrix_odd, confusion_matrix_uses);
