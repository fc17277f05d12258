/* Bilinear upsampling of logits fused with cross-entropy, its gradient and the arg max: one output pixel's
 * logits at a time, nothing of the upsampled size is stored.
 *
 * An output pixel mixes source rows i, i + 1 and columns j, j + 1. A task is one source row i of one image:
 * the output rows that begin in it, top to bottom. Its gradient goes to two buffers of the logits' size that
 * no other task writes, `low` (row i) and `high` (row i + 1), which are added at the end; so every sum has a
 * fixed order. */
#include "cpu_backend.h"
#include "first_reader.h"
#include "loss_terms.h"

#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define MAX_CHUNKS 256 /* of tasks; as many partial sums of the loss */
#define TILE       16  /* pixels that upsample_logits transposes at a time */

DF_INLINE void clear_gradients(struct columns *columns)
{
    memset(columns->dleft, 0, sizeof(columns->dleft));
    memset(columns->dright, 0, sizeof(columns->dright));
    memset(columns->left_hits, 0, sizeof(columns->left_hits));
    memset(columns->right_hits, 0, sizeof(columns->right_hits));
}

/* Hands the run's gradients on to the rows of `low` and `high`, and clears them. */
DF_INLINE void store_gradients(struct columns *columns, float *low, float *high, struct tap y, struct tap x,
                               int64_t classes)
{
    float *low_left = low + x.low * classes, *low_right = low + x.high * classes;
    float *high_left = high + x.low * classes, *high_right = high + x.high * classes;
    for (int64_t c = 0; c < classes; c++) {
        const float gradient = columns->dleft[c] - columns->left_hits[c];
        low_left[c] += y.weight_low * gradient;
        high_left[c] += y.weight_high * gradient;
    }
    for (int64_t c = 0; c < classes; c++) {
        const float gradient = columns->dright[c] - columns->right_hits[c];
        low_right[c] += y.weight_low * gradient;
        high_right[c] += y.weight_high * gradient;
    }
    clear_gradients(columns);
}

#define PRODUCT_MAX                                                                                          \
    1e290 /* times a sum of MAX_CLASSES exponentials, which is at most that, is still a double */

DF_INLINE void settle(struct loss_sum *total)
{
    total->sum += log(total->product);
    total->product = 1.0;
}

/* Adds -log softmax of the pixel's logits at its label, and gradients where they are asked for. Returns the
 * sum of the exponentials. */
DF_INLINE float add_pixel(struct columns *columns, struct tap x, int32_t label, float best, int32_t padded,
                          bool gradient, struct loss_sum *total)
{
    const float logit = columns->value[label];
    const float sum = exponentials(columns->value, best, padded);
    if (gradient) {
        spread_gradient(columns, x.weight_low / sum, x.weight_high / sum, padded);
        columns->left_hits[label] += x.weight_low;
        columns->right_hits[label] += x.weight_high;
    }
    total->sum += (double)best - (double)logit;
    total->product *= (double)sum;
    total->count++;
    if (total->product > PRODUCT_MAX)
        settle(total);
    return sum;
}

DF_INLINE void predict(const struct df_upsample_loss *work, int64_t pixel, const float *value, float best,
                       int32_t padded)
{
    const float lowest = work->sigmoid_prediction ? lowest_tie(best) : best;
    const uint8_t near = first_class_from(value, lowest, padded, work->classes);
    const bool alone = value[near] == best; /* almost always */

    work->prediction[pixel] = alone ? near : first_class_from(value, best, padded, work->classes);
    if (work->sigmoid_prediction)
        work->sigmoid_prediction[pixel] =
            alone ? near : first_class_of_sigmoid(value, best, lowest, near, work->classes);
}

/* One output row. low and high are this task's rows [w, C] of the gradient buffers, or both NULL. terms: the
 * work's, or NULL, known where this is compiled. */
DF_INLINE void walk_row(const struct df_upsample_loss *work, const struct df_loss_terms *terms, int64_t image,
                        int64_t row, struct tap y, struct columns *columns, float *low, float *high,
                        struct loss_sum *total)
{
    const float scale = (float)work->w / (float)work->width;
    const int64_t classes = work->classes, line = (image * work->height + row) * work->width;
    const int32_t padded = padded_classes(classes);
    const float *upper = work->logits + (image * work->h + y.low) * work->w * classes;
    const float *lower = work->logits + (image * work->h + y.high) * work->w * classes;
    struct smoothing smoothing = smoothing_of(terms, classes);
    struct region region;
    struct tap run = {.low = -1};

    read_region(&region, terms, classes);
    for (int64_t i = 0; i < work->width; i++) {
        const struct tap x = bilinear_tap(i, scale, work->w);
        if (x.low != run.low) {
            if (smoothing.share > 0.0f && run.low >= 0)
                end_smoothing(&smoothing, terms, columns, classes);
            if (low && run.low >= 0)
                store_gradients(columns, low, high, y, run, classes);
            load_columns(columns, upper, lower, y, x, classes);
            if (smoothing.share > 0.0f)
                begin_smoothing(&smoothing, terms, columns, classes);
            run = x;
        }
        mix_columns(columns, x, padded);
        const float best = maximum(columns->value, padded);
        if (work->prediction)
            predict(work, line + i, columns->value, best, padded);
        const int32_t label = work->labels ? work->labels[line + i] : DF_IGNORE_LABEL;
        if (label == DF_IGNORE_LABEL) {
            if (work->confidence)
                work->confidence[line + i] = 1.0f / exponentials(columns->value, best, padded);
            continue;
        }
        assert(label < classes);
        if (terms) {
            add_pixel_of_terms(columns, x, label, best, padded, terms, &smoothing, &region,
                               terms->slopes ? terms->slopes[line + i] : 0.0f, total);
            continue;
        }
        const float sum = add_pixel(columns, x, label, best, padded, low != NULL, total);
        if (work->confidence)
            work->confidence[line + i] = 1.0f / sum;
    }
    if (smoothing.share > 0.0f)
        end_smoothing(&smoothing, terms, columns, classes);
    if (low)
        store_gradients(columns, low, high, y, run, classes);
}

DF_MULTIVERSION static void plain_row(const struct df_upsample_loss *work, int64_t image, int64_t row,
                                      struct tap y, struct columns *columns, float *low, float *high,
                                      struct loss_sum *total)
{
    walk_row(work, NULL, image, row, y, columns, low, high, total);
}

DF_MULTIVERSION static void row_of_terms(const struct df_upsample_loss *work, int64_t image, int64_t row,
                                         struct tap y, struct columns *columns, float *low, float *high,
                                         struct loss_sum *total)
{
    walk_row(work, work->terms, image, row, y, columns, low, high, total);
}

static void loss_task(const struct df_upsample_loss *work, int64_t task, float *scratch,
                      struct loss_sum *total)
{
    const float scale = (float)work->h / (float)work->height;
    const int64_t image = task / work->h, source = task % work->h, size = work->w * work->classes;
    const int64_t end = df_first_reader(bilinear_source, source + 1, scale, work->h, work->height);
    float *low = scratch ? scratch + task * size : NULL;
    float *high = scratch ? scratch + (work->batch * work->h + task) * size : NULL;
    struct columns columns;

    clear_columns(&columns, work->classes);
    if (scratch) {
        memset(low, 0, (size_t)size * sizeof(float));
        memset(high, 0, (size_t)size * sizeof(float));
    }
    for (int64_t row = df_first_reader(bilinear_source, source, scale, work->h, work->height); row < end;
         row++) {
        const struct tap y = bilinear_tap(row, scale, work->h);
        if (work->terms)
            row_of_terms(work, image, row, y, &columns, low, high, total);
        else
            plain_row(work, image, row, y, &columns, low, high, total);
    }
}

/* dlogits = (low + high of the row above) / weight; the last row also reads itself as the row below. */
static void combine_row(const struct df_upsample_loss *work, int64_t task, const float *scratch)
{
    const int64_t source = task % work->h, size = work->w * work->classes;
    const float scale = work->loss.weight > 0.0 ? (float)(1.0 / work->loss.weight) : 0.0f;
    const float *low = scratch + task * size;
    const float *high = scratch + (work->batch * work->h + task) * size;
    const float *more = work->terms && work->terms->gradient ? work->terms->gradient + task * size : NULL;
    float *to = work->dlogits + task * size;
    for (int64_t i = 0; i < size; i++) {
        float sum = low[i];
        if (source > 0)
            sum += high[i - size];
        if (source == work->h - 1)
            sum += high[i];
        if (more)
            sum += more[i];
        to[i] = sum * scale;
    }
}

int df_cpu_upsample_loss(struct df_backend *backend, struct df_upsample_loss *work, float *scratch)
{
    const int64_t tasks = work->batch * work->h, chunks = df_min_i64(MAX_CHUNKS, tasks);
    struct loss_sum partial[MAX_CHUNKS];
    float *buffers = work->dlogits ? scratch : NULL;

    assert(work->classes >= 1 && work->classes <= MAX_CLASSES);
    assert(!work->dlogits || (work->labels && scratch));
    assert(!work->terms || work->dlogits);
    assert(!work->sigmoid_prediction || (work->prediction && !work->dlogits));
    assert(!work->confidence || !work->dlogits);
#pragma omp parallel for num_threads(backend->threads) schedule(dynamic)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        struct loss_sum total = {.product = 1.0};
        for (int64_t task = tasks * chunk / chunks; task < tasks * (chunk + 1) / chunks; task++)
            loss_task(work, task, buffers, &total);
        settle(&total);
        if (!work->terms)
            total.weight = (double)total.count;
        partial[chunk] = total;
    }

    work->loss = (struct df_loss_sum){0};
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        work->loss.sum += partial[chunk].sum;
        work->loss.count += partial[chunk].count;
        work->loss.weight += partial[chunk].weight;
    }
    if (work->terms && work->terms->more)
        work->loss.sum += (double)*work->terms->more;
    if (work->on_device)
        *work->on_device = work->loss;
    if (!buffers)
        return 0;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t task = 0; task < tasks; task++)
        combine_row(work, task, buffers);
    return 0;
}

/* One output row of every class's plane; the pixels of a tile are transposed so that planes are written in
 * runs. */
DF_MULTIVERSION static void logits_row(const float *upper, const float *lower, struct tap y, int64_t w,
                                       int64_t classes, float *out, int64_t plane, int64_t width)
{
    const float scale = (float)w / (float)width;
    const int32_t padded = padded_classes(classes);
    float tile[TILE][MAX_CLASSES + 1];
    struct columns columns;
    int64_t loaded = -1;

    clear_columns(&columns, classes);
    for (int64_t first = 0; first < width; first += TILE) {
        const int64_t count = df_min_i64(TILE, width - first);
        for (int64_t i = 0; i < count; i++) {
            const struct tap x = bilinear_tap(first + i, scale, w);
            if (x.low != loaded)
                load_columns(&columns, upper, lower, y, x, classes);
            loaded = x.low;
            mix_columns(&columns, x, padded);
            memcpy(tile[i], columns.value, (size_t)classes * sizeof(float));
        }
        for (int64_t c = 0; c < classes; c++)
            for (int64_t i = 0; i < count; i++)
                out[c * plane + first + i] = tile[i][c];
    }
}

int df_cpu_upsample_logits(struct df_backend *backend, const float *logits, float *out, int64_t batch,
                           int64_t h, int64_t w, int64_t classes, int64_t height, int64_t width)
{
    const float scale = (float)h / (float)height;
    assert(classes >= 1 && classes <= MAX_CLASSES);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < batch * height; i++) {
        const int64_t image = i / height, row = i % height;
        const struct tap y = bilinear_tap(row, scale, h);
        logits_row(logits + (image * h + y.low) * w * classes, logits + (image * h + y.high) * w * classes, y,
                   w, classes, out + (image * classes * height + row) * width, height * width, width);
    }
    return 0;
}
