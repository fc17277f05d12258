/* Online hard example mining. */
#include "enlarged.h"

#include "dinoft/error.h"

#include <stdlib.h>

enum { LEAST = MORE_SIZES, THRESHOLD, IGNORED }; /* THRESHOLD: in hundredths */
enum { HARD = MORE_TENSORS };

/* Numbers of classes that choose how lanes share them; bounded by the threshold, or by the least number; more
 * than there are; none. */
static const int64_t hard_pixels_odd[][DF_CASE_SIZES] = {
    {1, 1, 1, 1, 1, 1, 0, 70},        {1, 2, 3, 3, 7, 5, 3, 10},        {2, 3, 4, 21, 17, 23, 100, 5},
    {1, 5, 3, 150, 35, 21, 0, 3},     {1, 2, 3, 255, 9, 9, 20, 0},      {2, 5, 7, 16, 5, 7, 1000, 0},
    {1, 9, 8, 32, 4, 3, 5, 0},        {3, 4, 4, 65, 13, 29, 1, 99},     {1, 3, 4, 64, 13, 9, 0, 0},
    {2, 3, 3, 5, 6, 6, 10, 50, true}, {1, 8, 9, 5, 411, 331, 90000, 1}, {1, 2, 2, 128, 6, 6, 17, 1},
};

static int hard_pixels_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    enlarged_use(m, n);
    n[0][LEAST] = m->height * m->width / 4;
    n[0][THRESHOLD] = 30;
    return 1;
}

static void hard_pixels_build(struct df_case *c)
{
    df_case_in(c, DF_F32, logit_count(c), 0.0, 1.5);
    df_case_in_bytes(c, pixels_of(c), (int)c->n[CLASSES], true);
    df_case_out(c, DF_U8, pixels_of(c), 1e-4); /* where two pixels nearly agree */
    if (c->n[IGNORED])
        ignore_labels(c);
}

static int hard_pixels_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_upsample_loss work = enlarged_work(c, run);

    return run->backend->ops->hard_pixels(run->backend, &work, (float)c->n[THRESHOLD] / 100.0f, c->n[LEAST],
                                          run->memory[HARD]);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Those of pixels that have a label; how many these are. */
static int64_t find_probabilities(const struct df_case *c, double *probability)
{
    double value[DF_MAX_CLASSES];
    int64_t count = 0;

    for (int64_t i = 0; i < pixels_of(c); i++) {
        const int label = c->tensors[LABELS].bytes[i];
        if (label == DF_IGNORE_LABEL)
            continue;
        enlarged_pixel(c, i, value);
        softmax(value, c->n[CLASSES]);
        probability[count++] = value[label];
    }
    return count;
}

static void hard_pixels_expect(struct df_case *c)
{
    const size_t bytes = (size_t)pixels_of(c) * sizeof(double);
    double *probability = malloc(bytes), *sorted = malloc(bytes), bound = (double)c->n[THRESHOLD] / 100.0;

    if (!probability || !sorted) {
        c->failed = df_error_memory("probabilities", bytes);
    } else {
        const int64_t count = find_probabilities(c, probability), last = count - 1;
        memcpy(sorted, probability, (size_t)count * sizeof *sorted);
        qsort(sorted, (size_t)count, sizeof *sorted, compare);
        if (count > 0 && sorted[c->n[LEAST] < last ? c->n[LEAST] : last] > bound)
            bound = sorted[c->n[LEAST] < last ? c->n[LEAST] : last];
        for (int64_t i = 0, next = 0; i < pixels_of(c); i++) {
            const uint8_t label = c->tensors[LABELS].bytes[i];
            const bool is_hard = label != DF_IGNORE_LABEL && probability[next++] < bound;
            c->tensors[HARD].expected[i] = is_hard ? (double)label : (double)DF_IGNORE_LABEL;
        }
    }
    free(probability);
    free(sorted);
}

DF_CASE_SET(hard_pixels, hard_pixels_odd, hard_pixels_uses);
