/* Averages over windows and views of one image: evaluation with a sliding window and with test-time
 * augmentation. */
#include "cpu_backend.h"
#include "upsample.h"

#include <assert.h>
#include <float.h>

#define MAX_CHUNKS 256 /* of pixels; as many partial sums of the loss */

/* Columns first … end - 1 of a row of a window: canvas [end - first, C] += the upsampled logits, weighted. */
DF_MULTIVERSION static void window_row(const struct df_window *window, int64_t row, int64_t first,
                                       int64_t end, const float *logits, float *canvas)
{
    const float scale = (float)window->w / (float)window->width;
    const struct tap y = bilinear_tap(row, (float)window->h / (float)window->height, window->h);
    const int64_t classes = window->classes;
    const float *upper = logits + y.low * window->w * classes, *lower = logits + y.high * window->w * classes;
    struct columns columns;

    clear_columns(&columns, classes);
    for (int64_t i = first; i < end; i++, canvas += classes) {
        const struct tap x = bilinear_tap(i, scale, window->w);
        const float weight = window->row_weight[row] * window->column_weight[i];
        read_pixel(&columns, upper, lower, y, x, classes);
#pragma omp simd
        for (int64_t c = 0; c < classes; c++)
            canvas[c] += weight * columns.value[c];
    }
}

int df_cpu_add_window(struct df_backend *backend, const struct df_window *window, const float *logits,
                      float *canvas)
{
    const int64_t top = df_max_i64(-window->top, 0), left = df_max_i64(-window->left, 0);
    const int64_t bottom = df_min_i64(window->height, window->canvas_height - window->top);
    const int64_t right = df_min_i64(window->width, window->canvas_width - window->left);

    assert(window->classes >= 1 && window->classes <= MAX_CLASSES);
    if (left >= right)
        return 0;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = top; row < bottom; row++) {
        const int64_t pixel = (window->top + row) * window->canvas_width + window->left + left;
        window_row(window, row, left, right, logits, canvas + pixel * window->classes);
    }
    return 0;
}

/* One row of the upsampled image: sum [width, C] += its softmax. Pixels are taken in the order of the
 * logits' columns, which is the other way round where they are mirrored. */
DF_MULTIVERSION static void probability_row(const float *upper, const float *lower, struct tap y, int64_t w,
                                            int64_t classes, bool mirrored, float *sum, int64_t width)
{
    const float scale = (float)w / (float)width;
    const int32_t padded = padded_classes(classes);
    struct columns columns;

    clear_columns(&columns, classes);
    for (int64_t i = 0; i < width; i++) {
        const struct tap x = bilinear_tap(i, scale, w);
        float *pixel = sum + (mirrored ? width - 1 - i : i) * classes;
        read_pixel(&columns, upper, lower, y, x, classes);
        const float inverse = 1.0f / exponentials(columns.value, maximum(columns.value, padded), padded);
#pragma omp simd
        for (int64_t c = 0; c < classes; c++)
            pixel[c] += inverse * columns.value[c];
    }
}

int df_cpu_add_probabilities(struct df_backend *backend, const float *logits, int64_t h, int64_t w,
                             int64_t classes, bool mirrored, float *sum, int64_t height, int64_t width)
{
    const float scale = (float)h / (float)height;

    assert(classes >= 1 && classes <= MAX_CLASSES);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < height; row++) {
        const struct tap y = bilinear_tap(row, scale, h);
        probability_row(logits + y.low * w * classes, logits + y.high * w * classes, y, w, classes, mirrored,
                        sum + row * width * classes, width);
    }
    return 0;
}

struct argmax_work {
    int64_t classes, views;
    const uint8_t *labels;
    uint8_t *prediction;
    float *confidence;
};

/* The pixels [first, end) of the whole. */
DF_MULTIVERSION static double argmax_run(const struct argmax_work *work, const float *sum, int64_t first,
                                         int64_t end, int64_t *counted)
{
    const int64_t classes = work->classes;
    const int32_t padded = padded_classes(classes);
    _Alignas(64) float value[MAX_CLASSES + 1];
    double loss = 0.0;

    for (int32_t c = 0; c < padded; c++)
        value[c] = -1.0f; /* below any probability */
    for (int64_t i = first; i < end; i++) {
        memcpy(value, sum + i * classes, (size_t)classes * sizeof *value);
        const float best = maximum(value, padded);
        work->prediction[i] = first_class_from(value, best, padded, classes);
        if (work->confidence)
            work->confidence[i] = best / (float)work->views;
        const int32_t label = work->labels ? work->labels[i] : DF_IGNORE_LABEL;
        if (label == DF_IGNORE_LABEL)
            continue;
        assert(label < classes);
        loss += log((double)work->views) - log((double)greater(value[label], FLT_MIN));
        (*counted)++;
    }
    return loss;
}

int df_cpu_argmax(struct df_backend *backend, const float *sum, int64_t count, int64_t classes, int64_t views,
                  const uint8_t *labels, uint8_t *prediction, float *confidence,
                  struct df_loss_sum *on_device, struct df_loss_sum *loss)
{
    struct df_loss_sum *const total = on_device ? on_device : loss;
    const struct argmax_work work = {classes, views, labels, prediction, confidence};
    const int64_t chunks = df_min_i64(MAX_CHUNKS, count);
    double losses[MAX_CHUNKS] = {0};
    int64_t counts[MAX_CHUNKS] = {0};

    assert(classes >= 1 && classes <= MAX_CLASSES && views > 0);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        losses[chunk] =
            argmax_run(&work, sum, count * chunk / chunks, count * (chunk + 1) / chunks, &counts[chunk]);
    *total = (struct df_loss_sum){0};
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        total->sum += losses[chunk];
        total->count += counts[chunk];
    }
    total->weight = (double)total->count;
    return 0;
}
