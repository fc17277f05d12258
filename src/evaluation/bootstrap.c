#include "dinoft/bootstrap.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/metrics.h"
#include "dinoft/rng.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAIL 0.025 /* the part of the resamples that lies below the interval, and above it */

void df_bootstrap_free(struct df_bootstrap *bootstrap)
{
    free(bootstrap->counts);
    free(bootstrap->ends);
    *bootstrap = (struct df_bootstrap){.n_classes = bootstrap->n_classes};
}

/* Room for one more image, with all classes. */
static int reserve(struct df_bootstrap *bootstrap)
{
    if (bootstrap->n_images == bootstrap->images_capacity) {
        const size_t capacity = 2 * bootstrap->images_capacity + 256;
        size_t *ends = realloc(bootstrap->ends, capacity * sizeof *ends);
        if (!ends)
            return df_error_memory("the images' counts", capacity * sizeof *ends);
        bootstrap->ends = ends;
        bootstrap->images_capacity = capacity;
    }
    if (bootstrap->capacity - bootstrap->n_counts < (size_t)bootstrap->n_classes) {
        const size_t capacity = 2 * bootstrap->capacity + 1024;
        struct df_bootstrap_count *counts = realloc(bootstrap->counts, capacity * sizeof *counts);
        if (!counts)
            return df_error_memory("the images' counts", capacity * sizeof *counts);
        bootstrap->counts = counts;
        bootstrap->capacity = capacity;
    }
    return 0;
}

int df_bootstrap_add(struct df_bootstrap *bootstrap, const int64_t *confusion)
{
    struct df_overlap overlaps[DF_MAX_CLASSES];

    assert(bootstrap->n_classes >= 1 && bootstrap->n_classes <= DF_MAX_CLASSES);
    DF_TRY(reserve(bootstrap));
    df_metrics_overlaps(confusion, bootstrap->n_classes, overlaps);
    for (int c = 0; c < bootstrap->n_classes; c++) {
        const int64_t united = overlaps[c].labelled + overlaps[c].predicted - overlaps[c].both;
        if (united > 0)
            bootstrap->counts[bootstrap->n_counts++] =
                (struct df_bootstrap_count){overlaps[c].both, united, c};
    }
    bootstrap->ends[bootstrap->n_images++] = bootstrap->n_counts;
    return 0;
}

static double resampled_miou(const struct df_bootstrap *bootstrap, struct df_rng *rng)
{
    int64_t both[DF_MAX_CLASSES] = {0}, united[DF_MAX_CLASSES] = {0};
    double sum = 0.0;
    int present = 0;

    for (size_t i = 0; i < bootstrap->n_images; i++) {
        const size_t image = (size_t)df_rng_below(rng, bootstrap->n_images);
        for (size_t k = image > 0 ? bootstrap->ends[image - 1] : 0; k < bootstrap->ends[image]; k++) {
            both[bootstrap->counts[k].class_index] += bootstrap->counts[k].both;
            united[bootstrap->counts[k].class_index] += bootstrap->counts[k].united;
        }
    }
    for (int c = 0; c < bootstrap->n_classes; c++) {
        if (united[c] == 0)
            continue;
        sum += (double)both[c] / (double)united[c];
        present++;
    }
    return present > 0 ? sum / present : NAN;
}

static int compare_doubles(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* Of sorted values, as NumPy's percentile does it. */
static double value_at(const double *sorted, size_t count, double part)
{
    const double at = part * (double)(count - 1);
    const size_t below = (size_t)at, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

int df_bootstrap_interval(const struct df_bootstrap *bootstrap, int64_t resamples, int64_t seed,
                          struct df_interval *interval)
{
    double *values = malloc((size_t)resamples * sizeof *values);
    struct df_rng rng;
    size_t count = 0;

    *interval = (struct df_interval){NAN, NAN, resamples, (int64_t)bootstrap->n_images, seed};
    if (!values)
        return df_error_memory("the resamples", (size_t)resamples * sizeof *values);
    df_rng_seed(&rng, (uint64_t)seed, df_hash_text("bootstrap"));
    for (int64_t i = 0; i < resamples && bootstrap->n_images > 1; i++) {
        values[count] = resampled_miou(bootstrap, &rng);
        count += !isnan(values[count]);
    }
    if (count > 0) {
        qsort(values, count, sizeof *values, compare_doubles);
        interval->low = value_at(values, count, TAIL);
        interval->high = value_at(values, count, 1.0 - TAIL);
    }
    free(values);
    return 0;
}
