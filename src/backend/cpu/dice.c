/* The sums of the Dice loss over a batch, and what they make of each pixel's probabilities: a pass over the
 * enlarged logits before that of the loss, which stores none of them either. */
#include "cpu_backend.h"
#include "cpu_context.h"
#include "upsample.h"

#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

#define MAX_CHUNKS 64 /* of output rows; as many partial sums */

/* Over labelled pixels: of each class's probability, of that where it is the label, and how many these are.
 */
struct class_sums {
    double all[MAX_CLASSES], hits[MAX_CLASSES];
    int64_t count[MAX_CLASSES];
};

DF_MULTIVERSION static void add_row(const struct df_upsample_loss *work, int64_t row, struct class_sums *sums)
{
    const float scale = (float)work->w / (float)work->width;
    const int32_t padded = padded_classes(work->classes);
    const uint8_t *labels = work->labels + row * work->width;
    const float *upper, *lower;
    const struct tap y = source_rows(work, row, &upper, &lower);
    _Alignas(64) float all[MAX_CLASSES + 1] = {0};
    struct columns columns;

    clear_columns(&columns, work->classes);
    for (int64_t i = 0; i < work->width; i++) {
        const struct tap x = bilinear_tap(i, scale, work->w);
        const int32_t label = labels[i];
        if (label == DF_IGNORE_LABEL)
            continue;
        assert(label < work->classes);
        read_pixel(&columns, upper, lower, y, x, work->classes);
        const float scale_of_sum = 1.0f / exponentials(columns.value, maximum(columns.value, padded), padded);
#pragma omp simd
        for (int32_t c = 0; c < padded; c++)
            all[c] += scale_of_sum * columns.value[c];
        sums->hits[label] += (double)(scale_of_sum * columns.value[label]);
        sums->count[label]++;
    }
    for (int64_t c = 0; c < work->classes; c++)
        sums->all[c] += (double)all[c];
}

static void add_rows(const struct df_upsample_loss *work, int64_t first, int64_t end, struct class_sums *sums)
{
    memset(sums, 0, sizeof *sums);
    for (int64_t row = first; row < end; row++)
        add_row(work, row, sums);
}

/* Of a class that no pixel has: nothing. */
static double finish(const struct df_upsample_loss *work, const struct class_sums *sums, double factor,
                     float *region)
{
    const int64_t classes = work->classes;
    double loss = 0.0;

    for (int64_t c = 0; c < classes; c++) {
        const double size = sums->all[c] + (double)sums->count[c];
        const double dice = sums->count[c] > 0 ? 2.0 * sums->hits[c] / size : 0.0;
        const double slope = sums->count[c] > 0 ? factor / ((double)classes * size) : 0.0;
        region[c] = (float)(slope * dice);
        region[classes + c] = (float)(2.0 * slope);
        loss += sums->count[c] > 0 ? factor / (double)classes * (1.0 - dice) : 0.0;
    }
    return loss;
}

int df_cpu_dice(struct df_backend *backend, const struct df_upsample_loss *work, float factor, float *region,
                float *more)
{
    const int64_t rows = work->batch * work->height, chunks = df_min_i64(MAX_CHUNKS, rows);
    struct class_sums *partial = df_cpu_scratch(backend, (size_t)(chunks + 1) * sizeof *partial);
    double weight = 0.0;

    if (!partial)
        return -1;
#pragma omp parallel for num_threads(backend->threads) schedule(dynamic)
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        add_rows(work, rows * chunk / chunks, rows * (chunk + 1) / chunks, &partial[chunk]);
    struct class_sums *total = &partial[chunks];
    memset(total, 0, sizeof *total);
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        for (int64_t c = 0; c < work->classes; c++) {
            total->all[c] += partial[chunk].all[c];
            total->hits[c] += partial[chunk].hits[c];
            total->count[c] += partial[chunk].count[c];
        }
    }
    for (int64_t c = 0; c < work->classes; c++)
        weight += (double)work->terms->class_weights[c] * (double)total->count[c];
    *more = (float)finish(work, total, (double)factor * weight, region);
    return 0;
}
