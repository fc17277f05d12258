#include "dinoft/confusions.h"

#include <assert.h>
#include <string.h>

static int64_t labelled_pixels(const struct df_metrics *metrics, int label)
{
    int64_t sum = 0;
    for (int prediction = 0; prediction < metrics->n_classes; prediction++)
        sum += metrics->confusion[(int64_t)label * metrics->n_classes + prediction];
    return sum;
}

/* Puts it behind those of as many pixels or more. */
static int insert(struct df_confusion *ranked, int count, int most, struct df_confusion confusion)
{
    int at = count;

    while (at > 0 && ranked[at - 1].pixels < confusion.pixels)
        at--;
    if (at == most)
        return count;
    const int moved = (count < most ? count : most - 1) - at;
    memmove(&ranked[at + 1], &ranked[at], (size_t)moved * sizeof *ranked);
    ranked[at] = confusion;
    return count < most ? count + 1 : most;
}

int df_confusions_rank(const struct df_metrics *metrics, int most, struct df_confusion *ranked)
{
    const int n = metrics->n_classes;
    int count = 0;

    assert(most >= 1 && most <= DF_CONFUSIONS_MOST);
    for (int label = 0; label < n; label++) {
        const double all = (double)labelled_pixels(metrics, label);
        for (int prediction = 0; prediction < n; prediction++) {
            const int64_t pixels = metrics->confusion[(int64_t)label * n + prediction];
            if (label != prediction && pixels > 0)
                count = insert(ranked, count, most,
                               (struct df_confusion){label, prediction, pixels, (double)pixels / all});
        }
    }
    return count;
}
