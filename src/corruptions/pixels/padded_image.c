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

/* Where row y of the source, or what stands for it beyond the border, is held. */
static double *held_row(const struct padded_image *image, int64_t y)
{
    const int64_t stride = (image->width + 2 * image->margin_x) * image->channels;
    const int64_t slot = border_index(y, image->height, image->border) % image->row_count;

    return image->pixels + slot * stride + image->margin_x * image->channels;
}

static int allocate(struct padded_image *image)
{
    const int64_t all_rows = image->height + 2 * image->margin_y;
    size_t bytes = 0;

    image->row_count = df_min_i64(2 * image->margin_y + 1, image->height);
    const int64_t shape[4] = {image->row_count, image->width + 2 * image->margin_x, image->channels,
                              sizeof(double)};
    if (df_shape_count(shape, 4, &bytes)) {
        image->pixels = malloc(bytes);
        image->rows = malloc((size_t)all_rows * sizeof *image->rows);
    }
    if (!image->pixels || !image->rows)
        return df_error_memory("filtering an image", (unsigned long long)bytes);
    for (int64_t k = 0; k < all_rows; k++)
        image->rows[k] = held_row(image, k - image->margin_y);
    return 0;
}

int padded_image_of_floats(struct padded_image *image, const struct float_image *source, int64_t margin_x,
                           int64_t margin_y, enum filter_border border)
{
    *image = (struct padded_image){.width = source->width,
                                   .height = source->height,
                                   .margin_x = margin_x,
                                   .margin_y = margin_y,
                                   .channels = source->channels,
                                   .border = border,
                                   .floats = source->pixels};
    return allocate(image);
}

int padded_image_of_bytes(struct padded_image *image, const struct df_image *source, double divisor,
                          int64_t margin_x, int64_t margin_y, enum filter_border border)
{
    *image = (struct padded_image){.width = source->width,
                                   .height = source->height,
                                   .margin_x = margin_x,
                                   .margin_y = margin_y,
                                   .channels = source->channels,
                                   .border = border,
                                   .bytes = source->pixels};
    for (int value = 0; value < 256; value++)
        image->levels[value] = value / divisor;
    return allocate(image);
}

void padded_image_free(struct padded_image *image)
{
    free(image->pixels);
    free(image->rows);
    *image = (struct padded_image){0};
}

void padded_image_read(struct padded_image *image, int64_t y)
{
    const int64_t values = image->width * image->channels;

    for (; image->next <= df_min_i64(y + image->margin_y, image->height - 1); image->next++) {
        double *row = held_row(image, image->next);
        if (image->floats) {
            for (int64_t i = 0; i < values; i++)
                row[i] = (double)image->floats[image->next * values + i];
        } else {
            for (int64_t i = 0; i < values; i++)
                row[i] = image->levels[image->bytes[image->next * values + i]];
        }
        pad_row(row, image->width, image->channels, image->margin_x, image->border);
    }
}
