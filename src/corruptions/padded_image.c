#include "padded_image.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdlib.h>

int64_t border_index(int64_t index, int64_t count, enum filter_border border)
{
    if (index >= 0 && index < count)
        return index;
    if (border == BORDER_NEAREST || count == 1)
        return index < 0 ? 0 : count - 1;
    const int64_t period = border == BORDER_REFLECT ? 2 * count : 2 * count - 2;
    const int64_t within = (index % period + period) % period;
    if (within < count)
        return within;
    return border == BORDER_REFLECT ? period - 1 - within : period - within;
}

void pad_row(double *row, int64_t width, int channels, int64_t margin, enum filter_border border)
{
    for (int64_t k = 1; k <= margin; k++) {
        const double *left = row + border_index(-k, width, border) * channels;
        const double *right = row + border_index(width - 1 + k, width, border) * channels;
        for (int c = 0; c < channels; c++) {
            row[-k * channels + c] = left[c];
            row[(width - 1 + k) * channels + c] = right[c];
        }
    }
}

static int allocate(struct padded_image *image)
{
    const int64_t shape[4] = {image->height, image->width + 2 * image->margin_x, image->channels,
                              sizeof(double)};
    const size_t row_count = (size_t)(image->height + 2 * image->margin_y);
    size_t bytes = 0;

    if (df_shape_count(shape, 4, &bytes)) {
        image->pixels = malloc(bytes);
        image->rows = malloc(row_count * sizeof *image->rows);
    }
    if (!image->pixels || !image->rows)
        return df_error_memory("filtering an image", (unsigned long long)bytes);
    return 0;
}

static double *pixel_0_of(const struct padded_image *image, int64_t y)
{
    const int64_t stride = (image->width + 2 * image->margin_x) * image->channels;
    return image->pixels + y * stride + image->margin_x * image->channels;
}

/* What is left when the pixels themselves are there. */
static void finish(struct padded_image *image, enum filter_border border)
{
    for (int64_t y = 0; y < image->height; y++)
        pad_row(pixel_0_of(image, y), image->width, image->channels, image->margin_x, border);
    for (int64_t y = -image->margin_y; y < image->height + image->margin_y; y++)
        image->rows[image->margin_y + y] = pixel_0_of(image, border_index(y, image->height, border));
}

int padded_image_of_floats(struct padded_image *image, const struct float_image *source, int64_t margin_x,
                           int64_t margin_y, enum filter_border border)
{
    const int64_t values = source->width * source->channels;

    *image = (struct padded_image){source->width,    source->height, margin_x, margin_y,
                                   source->channels, NULL,           NULL};
    DF_TRY(allocate(image));
    for (int64_t y = 0; y < image->height; y++) {
        const float *from = source->pixels + y * values;
        double *to = pixel_0_of(image, y);
        for (int64_t i = 0; i < values; i++)
            to[i] = (double)from[i];
    }
    finish(image, border);
    return 0;
}

int padded_image_of_bytes(struct padded_image *image, const struct df_image *source, double divisor,
                          int64_t margin_x, int64_t margin_y, enum filter_border border)
{
    const int64_t values = source->width * source->channels;
    double quotients[256];

    *image = (struct padded_image){source->width,    source->height, margin_x, margin_y,
                                   source->channels, NULL,           NULL};
    DF_TRY(allocate(image));
    for (int value = 0; value < 256; value++)
        quotients[value] = value / divisor;
    for (int64_t y = 0; y < image->height; y++) {
        const uint8_t *from = source->pixels + y * values;
        double *to = pixel_0_of(image, y);
        for (int64_t i = 0; i < values; i++)
            to[i] = quotients[from[i]];
    }
    finish(image, border);
    return 0;
}

void padded_image_free(struct padded_image *image)
{
    free(image->pixels);
    free(image->rows);
    *image = (struct padded_image){0};
}
