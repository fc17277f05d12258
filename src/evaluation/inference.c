#include "dinoft/inference.h"

#include "windows.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Memory of the device that only ever grows. */
struct buffer {
    void *data;
    size_t bytes;
};

struct df_inference {
    struct df_segmenter *segmenter;
    struct df_backend *backend; /* the segmenter's */
    struct df_inference_options options;
    int64_t patch, classes;
    uint8_t *view;  /* host [view's height, width, 3] */
    uint8_t *batch; /* host [max_batch, window's height, width, 3] */
    size_t view_bytes, batch_bytes;
    struct buffer canvas;     /* float32 [view's height, width, C]: the windows' averaged logits */
    struct buffer sum;        /* float32 [height, width, C]: the views' softmaxes */
    struct buffer result;     /* uint8 [2, height, width]: classes, labels */
    struct buffer confidence; /* float32 [height, width] */
    int64_t height, width;    /* of the last prediction */
    bool is_of_views;         /* its probabilities are in sum, else the model's logits are there */
};

bool df_inference_is_plain(const struct df_inference_options *options)
{
    return !options->keep_ratio && options->crop == 0 && df_inference_views(options) == 1;
}

int64_t df_inference_views(const struct df_inference_options *options)
{
    return (int64_t)options->n_scales * (options->mirror ? 2 : 1);
}

struct df_inference *df_inference_open(struct df_segmenter *segmenter,
                                       const struct df_inference_options *options)
{
    struct df_inference *inference = calloc(1, sizeof *inference);

    assert(options->n_scales >= 1 && options->n_scales <= DF_INFERENCE_MAX_SCALES);
    assert(options->crop == 0 || (options->stride >= 1 && options->stride <= options->crop));
    if (!inference) {
        df_error_memory("the inference", sizeof *inference);
        return NULL;
    }
    inference->segmenter = segmenter;
    inference->options = *options;
    inference->backend = df_segmenter_backend(segmenter);
    inference->patch = df_segmenter_patch(segmenter);
    inference->classes = df_segmenter_made_with(segmenter)->classes;
    return inference;
}

void df_inference_close(struct df_inference *inference)
{
    if (!inference)
        return;
    struct df_backend *backend = inference->backend;
    backend->ops->free(backend, inference->canvas.data);
    backend->ops->free(backend, inference->sum.data);
    backend->ops->free(backend, inference->result.data);
    backend->ops->free(backend, inference->confidence.data);
    free(inference->view);
    free(inference->batch);
    free(inference);
}

static int reserve_host(uint8_t **data, size_t *capacity, size_t bytes)
{
    if (bytes <= *capacity)
        return 0;
    free(*data);
    *data = malloc(bytes);
    *capacity = *data ? bytes : 0;
    return *data ? 0 : df_error_memory("an image for the model", bytes);
}

/* Memory for height x width x values elements of `size` bytes. */
static int reserve_device(struct df_inference *inference, struct buffer *buffer, int64_t height,
                          int64_t width, int64_t values, size_t size)
{
    struct df_backend *backend = inference->backend;
    const int64_t shape[4] = {height, width, values, (int64_t)size};
    size_t bytes;

    if (!df_shape_count(shape, 4, &bytes))
        return df_error_set("an image of %lld x %lld pixels is too large", (long long)width,
                            (long long)height);
    if (bytes <= buffer->bytes)
        return 0;
    backend->ops->free(backend, buffer->data);
    buffer->data = backend->ops->alloc(backend, bytes);
    buffer->bytes = buffer->data ? bytes : 0;
    return buffer->data ? 0 : -1;
}

/* A length in whole patches, at least one. */
static int64_t whole_patches(const struct df_inference *inference, double length)
{
    return df_max_i64((int64_t)floor(length / (double)inference->patch + 0.5), 1) * inference->patch;
}

/* A length that windows are to be laid over may be any, one that is seen whole is brought to whole patches.
 */
static int64_t own_length(const struct df_inference *inference, double length)
{
    const int64_t pixels = (int64_t)floor(length + 0.5), crop = inference->options.crop;
    return crop > 0 && pixels > crop ? pixels : whole_patches(inference, length);
}

static void scaled_size(const struct df_inference *inference, const struct df_image *image, double scale,
                        int64_t *height, int64_t *width)
{
    const struct df_inference_options *options = &inference->options;
    double h = (double)options->height, w = (double)options->width;

    if (options->own_size) {
        *height = own_length(inference, scale * (double)image->height);
        *width = own_length(inference, scale * (double)image->width);
        return;
    }
    if (options->keep_ratio) {
        const double across = h < w ? h : w;
        const double ratio = (double)image->height / (double)image->width;
        h = across * fmin(fmax(ratio, 1.0), DF_IMAGE_MAX_RATIO);
        w = across * fmin(fmax(1.0 / ratio, 1.0), DF_IMAGE_MAX_RATIO);
    }
    *height = whole_patches(inference, scale * h);
    *width = whole_patches(inference, scale * w);
}

void df_inference_size(const struct df_inference *inference, const struct df_image *image, int64_t *height,
                       int64_t *width)
{
    scaled_size(inference, image, 1.0, height, width);
}

static int run_model(struct df_inference *inference, int64_t count, const uint8_t *pixels)
{
    DF_TRY(df_segmenter_load_pixels(inference->segmenter, count, pixels, NULL));
    return df_segmenter_forward(inference->segmenter, count, false, NULL);
}

/* The view's windows first .. first + count - 1, in rows, side by side for the model. */
static void cut_windows(struct df_inference *inference, const struct df_window_axis *rows,
                        const struct df_window_axis *columns, int64_t first, int64_t count)
{
    const size_t line = (size_t)columns->window * 3;
    uint8_t *to = inference->batch;

    for (int64_t k = first; k < first + count; k++) {
        const int64_t top = df_window_start(rows, k / columns->count),
                      left = df_window_start(columns, k % columns->count);
        for (int64_t y = 0; y < rows->window; y++, to += line)
            memcpy(to, inference->view + ((top + y) * columns->length + left) * 3, line);
    }
}

static int add_windows(struct df_inference *inference, const struct df_window_axis *rows,
                       const struct df_window_axis *columns, int64_t first, int64_t count)
{
    struct df_backend *backend = inference->backend;

    for (int64_t i = 0; i < count; i++) {
        const struct df_logits logits = df_segmenter_logits(inference->segmenter, i);
        const int64_t top = df_window_start(rows, (first + i) / columns->count);
        const int64_t left = df_window_start(columns, (first + i) % columns->count);
        const struct df_window window = {
            .h = logits.h,
            .w = logits.w,
            .classes = inference->classes,
            .top = top,
            .left = left,
            .height = rows->window,
            .width = columns->window,
            .canvas_height = rows->length,
            .canvas_width = columns->length,
            .row_weight = rows->weights + top,
            .column_weight = columns->weights + left,
        };
        DF_TRY(backend->ops->add_window(backend, &window, logits.values, inference->canvas.data));
    }
    return 0;
}

/* Fills the canvas with the view's logits, a batch of windows after the other. */
static int run_windows(struct df_inference *inference, const struct df_window_axis *rows,
                       const struct df_window_axis *columns)
{
    struct df_segmenter *segmenter = inference->segmenter;
    struct df_backend *backend = inference->backend;
    const int64_t all = rows->count * columns->count;
    const int64_t most = df_min_i64(all, df_segmenter_made_with(segmenter)->max_batch);
    const size_t canvas = (size_t)(rows->length * columns->length * inference->classes) * sizeof(float);

    DF_TRY(df_segmenter_set_size(segmenter, rows->window, columns->window));
    DF_TRY(reserve_host(&inference->batch, &inference->batch_bytes,
                        (size_t)(most * rows->window * columns->window * 3)));
    DF_TRY(reserve_device(inference, &inference->canvas, rows->length, columns->length, inference->classes,
                          sizeof(float)));
    DF_TRY(backend->ops->zero(backend, inference->canvas.data, canvas));
    for (int64_t first = 0; first < all; first += most) {
        const int64_t count = df_min_i64(most, all - first);
        cut_windows(inference, rows, columns, first, count);
        DF_TRY(run_model(inference, count, inference->batch));
        DF_TRY(add_windows(inference, rows, columns, first, count));
    }
    return 0;
}

static int make_view(struct df_inference *inference, const struct df_image *image, double scale,
                     bool mirrored, int64_t *height, int64_t *width)
{
    scaled_size(inference, image, scale, height, width);
    DF_TRY(reserve_host(&inference->view, &inference->view_bytes, (size_t)(*height * *width * 3)));
    DF_TRY(df_resize_linear(image, inference->view, *width, *height));
    if (mirrored)
        df_pixels_mirror(inference->view, *height, *width);
    return 0;
}

static bool needs_windows(const struct df_inference *inference, int64_t height, int64_t width)
{
    const int64_t crop = inference->options.crop;
    return crop > 0 && (height > crop || width > crop);
}

static int add_view_in_windows(struct df_inference *inference, int64_t view_height, int64_t view_width,
                               bool mirrored, int64_t height, int64_t width)
{
    const struct df_inference_options *options = &inference->options;
    struct df_backend *backend = inference->backend;
    struct df_window_axis rows = {0}, columns = {0};
    int status = -1;

    if (df_window_axis_make(&rows, view_height, options->crop, options->stride) == 0 &&
        df_window_axis_make(&columns, view_width, options->crop, options->stride) == 0 &&
        run_windows(inference, &rows, &columns) == 0)
        status =
            backend->ops->add_probabilities(backend, inference->canvas.data, view_height, view_width,
                                            inference->classes, mirrored, inference->sum.data, height, width);
    df_window_axis_free(&rows);
    df_window_axis_free(&columns);
    return status;
}

/* sum += the softmax of one view. */
static int add_view(struct df_inference *inference, const struct df_image *image, double scale, bool mirrored,
                    int64_t height, int64_t width)
{
    struct df_segmenter *segmenter = inference->segmenter;
    struct df_backend *backend = inference->backend;
    int64_t view_height, view_width;

    DF_TRY(make_view(inference, image, scale, mirrored, &view_height, &view_width));
    if (needs_windows(inference, view_height, view_width))
        return add_view_in_windows(inference, view_height, view_width, mirrored, height, width);
    DF_TRY(df_segmenter_set_size(segmenter, view_height, view_width));
    DF_TRY(run_model(inference, 1, inference->view));
    const struct df_logits logits = df_segmenter_logits(segmenter, 0);
    return backend->ops->add_probabilities(backend, logits.values, logits.h, logits.w, inference->classes,
                                           mirrored, inference->sum.data, height, width);
}

static int add_views(struct df_inference *inference, const struct df_image *image, int64_t height,
                     int64_t width)
{
    const struct df_inference_options *options = &inference->options;

    for (int i = 0; i < options->n_scales; i++) {
        for (int mirrored = 0; mirrored <= (options->mirror ? 1 : 0); mirrored++) {
            if (add_view(inference, image, options->scales[i], mirrored == 1, height, width) != 0)
                return df_error_context("at scale %g", options->scales[i]);
        }
    }
    return 0;
}

/* Averaged probabilities have no sigmoids: both matrices are of the one prediction. */
static int count_prediction(const struct df_inference *inference, const uint8_t *prediction,
                            const uint8_t *labels, int64_t pixels, struct df_comparison *comparison)
{
    struct df_backend *backend = inference->backend;

    DF_TRY(backend->ops->confusion_matrix(backend, prediction, labels, pixels, inference->classes,
                                          comparison->confusion));
    return backend->ops->copy(backend, df_comparison_of_sigmoids(comparison, inference->classes),
                              comparison->confusion,
                              df_confusion_count(inference->classes) * sizeof(int64_t));
}

/* Compares what lies in the inference's result, where that is wanted, and fetches it. */
static int hand_out(struct df_inference *inference, int64_t height, int64_t width, const uint8_t *labels,
                    const struct df_wanted *wanted)
{
    struct df_backend *backend = inference->backend;
    const uint8_t *prediction = inference->result.data;
    const float *confidence = inference->confidence.data;
    const size_t pixels = (size_t)(height * width);

    if (wanted->comparison)
        DF_TRY(count_prediction(inference, prediction, labels, (int64_t)pixels, wanted->comparison));
    if (wanted->detailed)
        DF_TRY(df_comparison_add_details(backend, confidence, prediction, labels, height, width,
                                         inference->classes, wanted->comparison));
    if (wanted->confidence)
        DF_TRY(backend->ops->download(backend, wanted->confidence, confidence, pixels * sizeof(float)));
    return wanted->classes ? backend->ops->download(backend, wanted->classes, prediction, pixels) : 0;
}

static int predict_from_views(struct df_inference *inference, const struct df_image *image, int64_t height,
                              int64_t width, const uint8_t *labels, const struct df_wanted *wanted)
{
    struct df_backend *backend = inference->backend;
    const size_t pixels = (size_t)(height * width);
    const bool confident = wanted->confidence || wanted->detailed;
    struct df_loss_sum loss; /* where nobody asks for it */

    DF_TRY(reserve_device(inference, &inference->sum, height, width, inference->classes, sizeof(float)));
    DF_TRY(reserve_device(inference, &inference->result, height, width, 2, 1));
    if (confident)
        DF_TRY(reserve_device(inference, &inference->confidence, height, width, 1, sizeof(float)));
    DF_TRY(backend->ops->zero(backend, inference->sum.data,
                              pixels * (size_t)inference->classes * sizeof(float)));
    DF_TRY(add_views(inference, image, height, width));
    uint8_t *result = inference->result.data, *result_labels = labels ? result + pixels : NULL;
    if (labels)
        DF_TRY(backend->ops->upload(backend, result_labels, labels, pixels));
    DF_TRY(backend->ops->argmax(backend, inference->sum.data, (int64_t)pixels, inference->classes,
                                df_inference_views(&inference->options), result_labels, result,
                                confident ? inference->confidence.data : NULL,
                                wanted->comparison ? &wanted->comparison->loss : NULL, &loss));
    return hand_out(inference, height, width, result_labels, wanted);
}

int df_inference_predict(struct df_inference *inference, const struct df_image *image, int64_t height,
                         int64_t width, const uint8_t *labels, const struct df_wanted *wanted)
{
    const struct df_inference_options *options = &inference->options;
    int64_t view_height, view_width;

    scaled_size(inference, image, options->scales[0], &view_height, &view_width);
    inference->height = height;
    inference->width = width;
    inference->is_of_views =
        df_inference_views(options) > 1 || needs_windows(inference, view_height, view_width);
    if (inference->is_of_views)
        return predict_from_views(inference, image, height, width, labels, wanted);
    DF_TRY(make_view(inference, image, options->scales[0], false, &view_height, &view_width));
    DF_TRY(df_segmenter_set_size(inference->segmenter, view_height, view_width));
    DF_TRY(run_model(inference, 1, inference->view));
    return df_segmenter_predict_at(inference->segmenter, 0, height, width, labels, wanted);
}

int df_inference_probabilities(struct df_inference *inference, struct df_probabilities *probabilities)
{
    if (!inference->is_of_views)
        return df_probabilities_of_logits(inference->segmenter, 0, inference->height, inference->width,
                                          probabilities);
    return df_probabilities_of_sum(inference->backend, inference->sum.data, inference->height,
                                   inference->width, inference->classes,
                                   df_inference_views(&inference->options), probabilities);
}
