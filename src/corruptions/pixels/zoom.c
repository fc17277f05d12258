#include "zoom.h"

#include "row_filter.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* The two source pixels that one of the result is interpolated from, and their weights. */
struct tap_pair {
    int64_t at[2];
    double weight[2];
};

int zoom_factor_count(double end, double step)
{
    return (int)ceil((end - 1.0) / step);
}

double zoom_factor(double step, int i)
{
    return 1.0 + i * ((1.0 + step) - 1.0); /* NumPy goes on in the rounded difference of the first two */
}

static int64_t middle_size(int64_t size, double factor)
{
    return (int64_t)ceil((double)size / factor);
}

static int64_t zoomed_size(int64_t size, double factor)
{
    return (int64_t)rint((double)middle_size(size, factor) * factor);
}

/* Those of the first count pixels along a side of size pixels. */
static struct tap_pair *make_taps(int64_t size, double factor, int64_t count)
{
    const int64_t middle = middle_size(size, factor), zoomed = zoomed_size(size, factor);
    const int64_t first = (size - middle) / 2;
    const double step = zoomed > 1 ? (double)(middle - 1) / (double)(zoomed - 1) : 1.0;
    struct tap_pair *taps = malloc((size_t)count * sizeof *taps);

    if (!taps) {
        df_error_memory("zooming", (unsigned long long)count * sizeof *taps);
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        const double position = (double)i * step;
        const double whole = floor(position);
        const int64_t at = df_min_i64((int64_t)whole, middle - 1);
        const double first_weight = 1.0 - (position - whole);
        taps[i].at[0] = first + at;
        taps[i].at[1] = first + df_min_i64(at + 1, middle - 1);
        taps[i].weight[0] = position > (double)(middle - 1) ? 0.0 : first_weight;
        taps[i].weight[1] = position > (double)(middle - 1) ? 0.0 : 1.0 - first_weight;
    }
    return taps;
}

static void zoom_row(const float *restrict row, const struct tap_pair *restrict taps, int64_t width,
                     int channels, double *restrict zoomed)
{
    for (int64_t x = 0; x < width; x++) {
        const float *left = row + taps[x].at[0] * channels, *right = row + taps[x].at[1] * channels;
        const double a = taps[x].weight[0], b = taps[x].weight[1];
        for (int c = 0; c < channels; c++)
            zoomed[x * channels + c] = (double)left[c] * a + (double)right[c] * b;
    }
}

/* The top left width x height pixels. */
static int zoom_rows(const struct float_image *image, double factor, int64_t width, int64_t height,
                     row_taker *take, void *result)
{
    const int64_t values = width * image->channels;
    int64_t held[2] = {-1, -1}; /* which source row each zoomed row has */
    int status = -1;

    assert(factor >= 1.0);
    struct tap_pair *columns = make_taps(image->width, factor, width);
    struct tap_pair *lines = make_taps(image->height, factor, height);
    double *zoomed = malloc(2 * (size_t)values * sizeof *zoomed);
    double *sum = malloc((size_t)values * sizeof *sum);
    if (!columns || !lines)
        goto done;
    if (!zoomed || !sum) {
        df_error_memory("zooming", 3 * (unsigned long long)values * sizeof *sum);
        goto done;
    }
    for (int64_t y = 0; y < height; y++) {
        const double a = lines[y].weight[0], b = lines[y].weight[1];
        const double *taken[2];
        for (int k = 0; k < 2; k++) {
            const int64_t row = lines[y].at[k];
            double *slot = zoomed + (row & 1) * values;
            if (held[row & 1] != row)
                zoom_row(image->pixels + row * image->width * image->channels, columns, width,
                         image->channels, slot);
            held[row & 1] = row;
            taken[k] = slot;
        }
        for (int64_t i = 0; i < values; i++)
            sum[i] = taken[0][i] * a + taken[1][i] * b;
        take(result, y, sum);
    }
    status = 0;
done:
    free(columns);
    free(lines);
    free(zoomed);
    free(sum);
    return status;
}

int clipped_zoom(const struct float_image *image, double factor, struct float_image *result)
{
    const int64_t width = zoomed_size(image->width, factor), height = zoomed_size(image->height, factor);

    DF_TRY(float_image_alloc(result, width, height, image->channels));
    return zoom_rows(image, factor, width, height, take_floats, result);
}

/* In float32: the package sums its layers so. */
static void take_sum(void *float_image, int64_t y, const double *row)
{
    const struct float_image *image = float_image;
    const int64_t values = image->width * image->channels;
    float *to = image->pixels + y * values;

    for (int64_t i = 0; i < values; i++)
        to[i] += (float)row[i];
}

int clipped_zoom_add(const struct float_image *image, double factor, struct float_image *sum)
{
    assert(sum->width == image->width && sum->height == image->height && sum->channels == image->channels);
    return zoom_rows(image, factor, image->width, image->height, take_sum, sum);
}
