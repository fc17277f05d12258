#include "block_inference.h"

#include "windows.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>

/* The image as it is or mirrored, and the logits of its windows that were computed last. */
struct view {
    bool mirrored;
    int64_t next;  /* window that is to be computed */
    float *logits; /* device [slots, h, w, C]: of window k in slot k % slots; NULL: none was computed */
};

struct work {
    struct df_segmenter *segmenter;
    struct df_backend *backend; /* the segmenter's */
    const struct df_block_options *options;
    const struct df_pixel_source *source;
    int64_t classes, most; /* windows in a batch */
    struct df_window_axis rows, columns;
    int64_t slots, h, w; /* of logits */
    struct view views[2];
    int n_views;
    uint8_t *batch;      /* host [most, window's height, width, 3] */
    float *canvas, *sum; /* device [side, side, C]: the windows' averaged logits, the views' softmaxes */
    uint8_t *prediction; /* device [side, side] */
    uint8_t *block_classes;
    float *block_probabilities; /* host [side, side, C]; NULL where they are not wanted */
};

bool df_block_inference_fits(const struct df_segmenter *segmenter, int64_t height, int64_t width,
                             int64_t crop)
{
    const int64_t patch = df_segmenter_patch(segmenter);

    return (height > crop || width > crop) && (height >= crop || height % patch == 0) &&
           (width >= crop || width % patch == 0);
}

/* Rows of windows that a row of blocks meets at most, and the batch that reaches beyond. */
static int64_t count_slots(const struct work *work)
{
    const int64_t rows = (work->options->side + work->rows.window - 2) / work->options->stride + 2;
    const int64_t all = work->rows.count * work->columns.count;

    return df_min_i64(df_min_i64(rows, work->rows.count) * work->columns.count + work->most, all);
}

static void *reserve_device(struct work *work, int64_t count, int64_t values, size_t size)
{
    const int64_t shape[] = {count, values, (int64_t)size};
    size_t bytes;

    if (df_shape_count(shape, 3, &bytes))
        return work->backend->ops->alloc(work->backend, bytes);
    df_error_set("an image of %lld x %lld pixels is too large", (long long)work->source->width,
                 (long long)work->source->height);
    return NULL;
}

static int begin(struct work *work)
{
    const struct df_block_options *options = work->options;
    const int64_t pixels = options->side * options->side;

    DF_TRY(df_window_axis_make(&work->rows, work->source->height, options->crop, options->stride));
    DF_TRY(df_window_axis_make(&work->columns, work->source->width, options->crop, options->stride));
    work->most = df_min_i64(df_segmenter_made_with(work->segmenter)->max_batch,
                            work->rows.count * work->columns.count);
    work->slots = count_slots(work);
    DF_TRY(df_segmenter_set_size(work->segmenter, work->rows.window, work->columns.window));
    work->batch = malloc((size_t)(work->most * work->rows.window * work->columns.window * 3));
    work->block_classes = malloc((size_t)pixels);
    if (options->probabilities)
        work->block_probabilities = malloc((size_t)(pixels * work->classes) * sizeof(float));
    if (!work->batch || !work->block_classes || (options->probabilities && !work->block_probabilities))
        return df_error_memory("windows of an image", (unsigned long long)(pixels * work->classes));
    work->canvas = reserve_device(work, pixels, work->classes, sizeof(float));
    work->sum = reserve_device(work, pixels, work->classes, sizeof(float));
    work->prediction = reserve_device(work, pixels, 1, 1);
    return work->canvas && work->sum && work->prediction ? 0 : -1;
}

static void end(struct work *work)
{
    struct df_backend *backend = work->backend;

    for (int i = 0; i < work->n_views; i++)
        backend->ops->free(backend, work->views[i].logits);
    backend->ops->free(backend, work->canvas);
    backend->ops->free(backend, work->sum);
    backend->ops->free(backend, work->prediction);
    df_window_axis_free(&work->rows);
    df_window_axis_free(&work->columns);
    free(work->batch);
    free(work->block_classes);
    free(work->block_probabilities);
}

/* Window k of a view, to the batch. */
static int read_window(struct work *work, const struct view *view, int64_t k, uint8_t *pixels)
{
    const struct df_window_axis *rows = &work->rows, *columns = &work->columns;
    const int64_t left = df_window_start(columns, k % columns->count);
    const struct df_image_part part = {
        .x = view->mirrored ? columns->length - left - columns->window : left,
        .y = df_window_start(rows, k / columns->count),
        .width = columns->window,
        .height = rows->window,
    };

    DF_TRY(work->source->read(work->source->context, &part, pixels));
    if (view->mirrored)
        df_pixels_mirror(pixels, part.height, part.width);
    return 0;
}

static int keep_logits(struct work *work, struct view *view, int64_t i)
{
    struct df_backend *backend = work->backend;
    const struct df_logits logits = df_segmenter_logits(work->segmenter, i);
    const int64_t values = logits.h * logits.w * work->classes;

    work->h = logits.h;
    work->w = logits.w;
    if (!view->logits && !(view->logits = reserve_device(work, work->slots, values, sizeof(float))))
        return -1;
    return backend->ops->copy(backend, view->logits + (view->next + i) % work->slots * values, logits.values,
                              (size_t)values * sizeof(float));
}

/* Computes the view's windows up to `until`, in the batches that the whole image would have. */
static int compute_windows(struct work *work, struct view *view, int64_t until)
{
    const int64_t bytes = work->rows.window * work->columns.window * 3;
    const int64_t all = work->rows.count * work->columns.count;

    while (view->next < until) {
        const int64_t count = df_min_i64(work->most, all - view->next);
        for (int64_t i = 0; i < count; i++)
            DF_TRY(read_window(work, view, view->next + i, work->batch + i * bytes));
        DF_TRY(df_segmenter_load_pixels(work->segmenter, count, work->batch, NULL));
        DF_TRY(df_segmenter_forward(work->segmenter, count, false, NULL));
        for (int64_t i = 0; i < count; i++)
            DF_TRY(keep_logits(work, view, i));
        view->next += count;
    }
    return 0;
}

/* The axis' windows that meet the pixels from, …, to - 1: those from *first to *end - 1. */
static void windows_over(const struct df_window_axis *axis, int64_t from, int64_t to, int64_t *first,
                         int64_t *end)
{
    for (*first = 0; df_window_start(axis, *first) + axis->window <= from;)
        ++*first;
    for (*end = *first; *end < axis->count && df_window_start(axis, *end) < to;)
        ++*end;
}

/* canvas += what the windows say of a part of the view. */
static int add_windows(struct work *work, const struct view *view, const struct df_image_part *part)
{
    const struct df_window_axis *rows = &work->rows, *columns = &work->columns;
    const int64_t values = work->h * work->w * work->classes;
    int64_t top, bottom, left, right;

    windows_over(rows, part->y, part->y + part->height, &top, &bottom);
    windows_over(columns, part->x, part->x + part->width, &left, &right);
    for (int64_t row = top; row < bottom; row++) {
        for (int64_t column = left; column < right; column++) {
            const int64_t y = df_window_start(rows, row), x = df_window_start(columns, column);
            const struct df_window window = {
                .h = work->h,
                .w = work->w,
                .classes = work->classes,
                .top = y - part->y,
                .left = x - part->x,
                .height = rows->window,
                .width = columns->window,
                .canvas_height = part->height,
                .canvas_width = part->width,
                .row_weight = rows->weights + y,
                .column_weight = columns->weights + x,
            };
            const int64_t slot = (row * columns->count + column) % work->slots;
            DF_TRY(work->backend->ops->add_window(work->backend, &window, view->logits + slot * values,
                                                  work->canvas));
        }
    }
    return 0;
}

/* sum += the softmax of a view, of the part of the image. */
static int add_view(struct work *work, const struct view *view, const struct df_image_part *part)
{
    struct df_backend *backend = work->backend;
    struct df_image_part of_view = *part;

    if (view->mirrored)
        of_view.x = work->source->width - part->x - part->width;
    DF_TRY(backend->ops->zero(backend, work->canvas,
                              (size_t)(part->width * part->height * work->classes) * sizeof(float)));
    DF_TRY(add_windows(work, view, &of_view));
    return backend->ops->add_probabilities(backend, work->canvas, part->height, part->width, work->classes,
                                           view->mirrored, work->sum, part->height, part->width);
}

static int fetch_probabilities(struct work *work, int64_t count)
{
    const float share = 1.0f / (float)work->n_views;

    DF_TRY(work->backend->ops->download(work->backend, work->block_probabilities, work->sum,
                                        (size_t)count * sizeof(float)));
    for (int64_t i = 0; i < count; i++)
        work->block_probabilities[i] *= share;
    return 0;
}

static int predict_block(struct work *work, const struct df_image_part *part)
{
    struct df_backend *backend = work->backend;
    const int64_t pixels = part->width * part->height;
    struct df_loss_sum loss; /* of no labels */

    DF_TRY(backend->ops->zero(backend, work->sum, (size_t)(pixels * work->classes) * sizeof(float)));
    for (int i = 0; i < work->n_views; i++)
        DF_TRY(add_view(work, &work->views[i], part));
    DF_TRY(backend->ops->argmax(backend, work->sum, pixels, work->classes, work->n_views, NULL,
                                work->prediction, NULL, NULL, &loss));
    if (work->block_probabilities)
        DF_TRY(fetch_probabilities(work, pixels * work->classes));
    return backend->ops->download(backend, work->block_classes, work->prediction, (size_t)pixels);
}

/* A row of blocks, once its windows are there. */
static int predict_row(struct work *work, int64_t y, df_block_taker *take, void *context)
{
    const int64_t side = work->options->side;
    struct df_block block = {.part = {.y = y, .height = df_min_i64(side, work->source->height - y)},
                             .classes = work->block_classes,
                             .probabilities = work->block_probabilities};
    int64_t first, end;

    windows_over(&work->rows, y, y + block.part.height, &first, &end);
    for (int i = 0; i < work->n_views; i++)
        DF_TRY(compute_windows(work, &work->views[i], end * work->columns.count));
    for (int64_t x = 0; x < work->source->width; x += side) {
        block.part.x = x;
        block.part.width = df_min_i64(side, work->source->width - x);
        DF_TRY(predict_block(work, &block.part));
        const int status = take(context, &block);
        if (status != 0)
            return status;
    }
    return 0;
}

int df_block_inference(struct df_segmenter *segmenter, const struct df_block_options *options,
                       const struct df_pixel_source *source, df_block_taker *take, void *context)
{
    struct work work = {
        .segmenter = segmenter,
        .backend = df_segmenter_backend(segmenter),
        .options = options,
        .source = source,
        .classes = df_segmenter_made_with(segmenter)->classes,
        .views = {{.mirrored = false}, {.mirrored = true}},
        .n_views = options->mirror ? 2 : 1,
    };

    assert(df_block_inference_fits(segmenter, source->height, source->width, options->crop));
    assert(options->stride >= 1 && options->stride <= options->crop && options->side >= 1);
    int status = begin(&work);
    for (int64_t y = 0; status == 0 && y < source->height; y += options->side)
        status = predict_row(&work, y, take, context);
    end(&work);
    return status;
}
