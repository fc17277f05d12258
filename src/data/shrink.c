#include "dinoft/image.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One source row at the destination's width: each value is a mean over scale pixels. */
static void shrink_row(const uint8_t *row, double scale, int64_t source_width, float *out, int64_t width)
{
    for (int64_t x = 0; x < width; x++) {
        const double left = (double)x * scale, right = fmin((double)(x + 1) * scale, (double)source_width);
        double sum[3] = {0, 0, 0};
        for (int64_t i = (int64_t)left; (double)i < right; i++) {
            const double share = fmin((double)(i + 1), right) - fmax((double)i, left);
            for (int c = 0; c < 3; c++)
                sum[c] += share * row[3 * i + c];
        }
        for (int c = 0; c < 3; c++)
            out[3 * x + c] = (float)(sum[c] / (right - left));
    }
}

int df_shrink(const struct df_image *source, int64_t width, int64_t height, struct df_image *result)
{
    const double scale_x = (double)source->width / (double)width;
    const double scale_y = (double)source->height / (double)height;
    const int64_t values = 3 * width;

    assert(source->channels == 3 && width >= 1 && width <= source->width && height >= 1 &&
           height <= source->height);
    DF_TRY(df_image_alloc(result, width, height, 3));
    float *row = malloc((size_t)values * sizeof *row), *sum = malloc((size_t)values * sizeof *sum);
    if (!row || !sum) {
        free(row);
        free(sum);
        df_image_free(result);
        return df_error_memory("making an image smaller", 2 * (unsigned long long)values * sizeof *row);
    }
    int64_t held = -1; /* the source row that `row` is */
    for (int64_t y = 0; y < height; y++) {
        const double top = (double)y * scale_y;
        const double bottom = fmin((double)(y + 1) * scale_y, (double)source->height);
        memset(sum, 0, (size_t)values * sizeof *sum);
        for (int64_t i = (int64_t)top; (double)i < bottom; i++) {
            const float share =
                (float)((fmin((double)(i + 1), bottom) - fmax((double)i, top)) / (bottom - top));
            if (held != i)
                shrink_row(source->pixels + 3 * i * source->width, scale_x, source->width, row, width);
            held = i;
            for (int64_t v = 0; v < values; v++)
                sum[v] += share * row[v];
        }
        for (int64_t v = 0; v < values; v++)
            result->pixels[y * values + v] = (uint8_t)lrintf(fminf(sum[v], 255.0f));
    }
    free(row);
    free(sum);
    return 0;
}

void df_size_within(const struct df_image *image, int64_t most, int64_t *width, int64_t *height)
{
    const double scale = fmin(1.0, (double)most / (double)df_max_i64(image->width, image->height));

    *width = df_max_i64(1, lrint(scale * (double)image->width));
    *height = df_max_i64(1, lrint(scale * (double)image->height));
}

int df_shrink_within(const struct df_image *source, int64_t most, struct df_image *result)
{
    int64_t width, height;

    df_size_within(source, most, &width, &height);
    return df_shrink(source, width, height, result);
}
