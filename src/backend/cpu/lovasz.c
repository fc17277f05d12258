/* The Lovasz softmax loss of a batch. Its slope at a pixel's class depends on the rank of the pixel's error
 * among all of the class, so that the errors of one class after the other are sorted.
 *
 * The gradient of logit c is p[c] (s[c] - sum of p[k] s[k]), s being the slopes. The first term is brought to
 * the logits' size as soon as a class is sorted, and of the second only the sum is kept for each pixel: no
 * array has all classes of all pixels. */
#include "cpu_backend.h"
#include "cpu_context.h"
#include "first_reader.h"
#include "upsample.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

#define DIGIT_BITS 11
#define DIGITS     (1 << DIGIT_BITS)

/* An error, in an order of bits that is the opposite of the numbers', and whose it is. */
struct ranked {
    uint32_t key, pixel;
};

struct lovasz {
    const struct df_upsample_loss *work;
    int threads;
    int64_t pixels, rows;     /* of all images at the labels' size */
    int64_t *row_start;       /* [rows + 1]: labelled pixels before */
    float *log_sum;           /* [pixels]: of the exponentials */
    float *share;             /* [pixels]: p times slope, of a class; 0 where there is no label */
    struct ranked *errors[2]; /* [pixels], of which those of labelled pixels are used */
    double scale;
    float *slopes, *gradient;
};

DF_MULTIVERSION static void sum_row(const struct df_upsample_loss *work, int64_t row, float *log_sum)
{
    const float scale = (float)work->w / (float)work->width;
    const int32_t padded = padded_classes(work->classes);
    const uint8_t *labels = work->labels + row * work->width;
    const float *upper, *lower;
    const struct tap y = source_rows(work, row, &upper, &lower);
    struct columns columns;

    clear_columns(&columns, work->classes);
    for (int64_t i = 0; i < work->width; i++) {
        const struct tap x = bilinear_tap(i, scale, work->w);
        if (labels[i] == DF_IGNORE_LABEL)
            continue;
        read_pixel(&columns, upper, lower, y, x, work->classes);
        const float best = maximum(columns.value, padded);
        log_sum[i] = best + logf(exponentials(columns.value, best, padded));
    }
}

/* The errors of one row's labelled pixels. */
DF_MULTIVERSION static void find_errors(const struct lovasz *lovasz, int64_t row, int64_t class)
{
    const struct df_upsample_loss *work = lovasz->work;
    const float scale = (float)work->w / (float)work->width;
    const int64_t first = row * work->width;
    struct ranked *to = lovasz->errors[0] + lovasz->row_start[row];
    const float *upper, *lower;
    const struct tap y = source_rows(work, row, &upper, &lower);

    for (int64_t i = 0; i < work->width; i++) {
        const int label = work->labels[first + i];
        if (label == DF_IGNORE_LABEL)
            continue;
        const struct tap x = bilinear_tap(i, scale, work->w);
        const int64_t left = x.low * work->classes + class, right = x.high * work->classes + class;
        const float logit = x.weight_low * (y.weight_low * upper[left] + y.weight_high * lower[left]) +
                            x.weight_high * (y.weight_low * upper[right] + y.weight_high * lower[right]);
        const float p = df_expf_fast(logit - lovasz->log_sum[first + i]);
        const float error = label == class ? 1.0f - p : p;
        uint32_t bits;
        memcpy(&bits, &error, sizeof bits);
        *to++ = (struct ranked){bits >> 31 ? UINT32_MAX : ~bits, (uint32_t)(first + i)};
    }
}

/* errors[0] by their keys; those that are equal stay in order. */
static void sort(const struct lovasz *lovasz, int64_t count)
{
    struct ranked *from = lovasz->errors[0], *to = lovasz->errors[1];

    for (int shift = 0; shift < 32; shift += DIGIT_BITS) {
        int64_t place[DIGITS + 1] = {0};
        for (int64_t i = 0; i < count; i++)
            place[(from[i].key >> shift & (DIGITS - 1)) + 1]++;
        for (int digit = 0; digit < DIGITS; digit++)
            place[digit + 1] += place[digit];
        for (int64_t i = 0; i < count; i++)
            to[place[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
        struct ranked *const sorted = to;
        to = from;
        from = sorted;
    }
    assert(from == lovasz->errors[1]); /* after three digits */
}

/* From the largest error to the smallest, of a class with so many pixels: what the Jaccard loss grows by with
 * each. Returns the class's loss. */
static double walk_ranks(const struct lovasz *lovasz, int64_t count, int64_t class, int64_t size)
{
    double loss = 0.0, both = (double)size, either = (double)size;

    for (int64_t i = 0; i < count; i++) {
        const struct ranked at = lovasz->errors[1][i];
        const bool own = lovasz->work->labels[at.pixel] == class;
        const uint32_t bits = ~at.key;
        const double growth = own ? 1.0 / either : both / (either * (either + 1.0));
        float error;
        memcpy(&error, &bits, sizeof error);
        const float p = own ? 1.0f - error : error;
        loss += growth * (double)error;
        lovasz->share[at.pixel] = (float)(lovasz->scale * (own ? -growth : growth)) * p;
        both -= own;
        either += !own;
    }
    return loss;
}

/* Brings the shares to a row of logits that output rows read, from which all of them come in order. */
static void gather(const struct lovasz *lovasz, int64_t task, int64_t class)
{
    const struct df_upsample_loss *work = lovasz->work;
    const int64_t image = task / work->h, source = task % work->h;
    const float row_scale = (float)work->h / (float)work->height,
                column_scale = (float)work->w / (float)work->width;
    const int64_t end = df_first_reader(bilinear_source, source + 1, row_scale, work->h, work->height);
    float *to = lovasz->gradient + task * work->w * work->classes + class;

    for (int64_t row =
             source > 0 ? df_first_reader(bilinear_source, source - 1, row_scale, work->h, work->height) : 0;
         row < end; row++) {
        const struct tap y = bilinear_tap(row, row_scale, work->h);
        const float weight =
            (y.low == source ? y.weight_low : 0.0f) + (y.high == source ? y.weight_high : 0.0f);
        const float *share = lovasz->share + (image * work->height + row) * work->width;
        for (int64_t i = 0; i < work->width; i++) {
            const struct tap x = bilinear_tap(i, column_scale, work->w);
            to[x.low * work->classes] += weight * x.weight_low * share[i];
            to[x.high * work->classes] += weight * x.weight_high * share[i];
        }
    }
}

/* Returns the class's loss. */
static double add_class(const struct lovasz *lovasz, int64_t class, int64_t size)
{
    const int64_t count = lovasz->row_start[lovasz->rows];

#pragma omp parallel for num_threads(lovasz->threads)
    for (int64_t row = 0; row < lovasz->rows; row++)
        find_errors(lovasz, row, class);
    sort(lovasz, count);
    const double loss = walk_ranks(lovasz, count, class, size);
#pragma omp parallel for num_threads(lovasz->threads)
    for (int64_t i = 0; i < lovasz->pixels; i++)
        lovasz->slopes[i] += lovasz->share[i];
#pragma omp parallel for num_threads(lovasz->threads)
    for (int64_t task = 0; task < lovasz->work->batch * lovasz->work->h; task++)
        gather(lovasz, task, class);
    return loss;
}

/* Labelled pixels of each class, and before each row. */
static void count_labels(const struct lovasz *lovasz, int64_t *sizes)
{
    const struct df_upsample_loss *work = lovasz->work;

    memset(sizes, 0, MAX_CLASSES * sizeof *sizes);
    lovasz->row_start[0] = 0;
    for (int64_t row = 0; row < lovasz->rows; row++) {
        int64_t labelled = 0;
        for (int64_t i = row * work->width; i < (row + 1) * work->width; i++) {
            if (work->labels[i] == DF_IGNORE_LABEL)
                continue;
            assert(work->labels[i] < work->classes);
            sizes[work->labels[i]]++;
            labelled++;
        }
        lovasz->row_start[row + 1] = lovasz->row_start[row] + labelled;
    }
}

/* Scratch memory. -1 with the error set. */
static int take_memory(struct lovasz *lovasz, struct df_backend *backend)
{
    const size_t pixels = (size_t)lovasz->pixels, rows = (size_t)lovasz->rows + 1;
    char *memory = df_cpu_scratch(backend, rows * sizeof(int64_t) +
                                               pixels * (2 * sizeof(struct ranked) + 2 * sizeof(float)));
    if (!memory)
        return -1;
    lovasz->row_start = (int64_t *)(void *)memory;
    lovasz->errors[0] = (struct ranked *)(void *)(memory + rows * sizeof(int64_t));
    lovasz->errors[1] = lovasz->errors[0] + pixels;
    lovasz->log_sum = (float *)(void *)(lovasz->errors[1] + pixels);
    lovasz->share = lovasz->log_sum + pixels;
    return 0;
}

int df_cpu_lovasz(struct df_backend *backend, const struct df_upsample_loss *work, float factor,
                  float *slopes, float *gradient, float *more)
{
    const int64_t rows = work->batch * work->height, pixels = rows * work->width;
    struct lovasz lovasz = {.work = work,
                            .threads = backend->threads,
                            .pixels = pixels,
                            .rows = rows,
                            .slopes = slopes,
                            .gradient = gradient};
    int64_t sizes[MAX_CLASSES];
    double weight = 0.0, sum = 0.0;
    int present = 0;

    if (pixels > UINT32_MAX)
        return df_error_set("the Lovasz loss takes batches of at most %u pixels", UINT32_MAX);
    DF_TRY(take_memory(&lovasz, backend));
    count_labels(&lovasz, sizes);
    for (int64_t c = 0; c < work->classes; c++) {
        weight += (double)work->terms->class_weights[c] * (double)sizes[c];
        present += sizes[c] > 0;
    }
    lovasz.scale = present > 0 ? (double)factor * weight / present : 0.0;
    memset(slopes, 0, (size_t)pixels * sizeof *slopes);
    memset(lovasz.share, 0, (size_t)pixels * sizeof *lovasz.share);
    memset(gradient, 0, (size_t)(work->batch * work->h * work->w * work->classes) * sizeof *gradient);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows; row++)
        sum_row(work, row, lovasz.log_sum + row * work->width);
    for (int64_t c = 0; c < work->classes; c++)
        sum += sizes[c] > 0 ? add_class(&lovasz, c, sizes[c]) : 0.0;
    *more = (float)(lovasz.scale * sum);
    return 0;
}
