#include "windows.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdlib.h>

int64_t df_window_start(const struct df_window_axis *axis, int64_t i)
{
    return df_min_i64(i * axis->stride, axis->length - axis->window);
}

int df_window_axis_make(struct df_window_axis *axis, int64_t length, int64_t crop, int64_t stride)
{
    *axis = (struct df_window_axis){.length = length, .window = df_min_i64(crop, length), .stride = stride};
    axis->count = (length - axis->window + stride - 1) / stride + 1;
    axis->weights = calloc((size_t)length, sizeof *axis->weights);
    if (!axis->weights)
        return df_error_memory("the windows' weights", (size_t)length * sizeof *axis->weights);
    for (int64_t i = 0; i < axis->count; i++) {
        for (int64_t k = 0; k < axis->window; k++)
            axis->weights[df_window_start(axis, i) + k] += 1.0f;
    }
    for (int64_t k = 0; k < length; k++)
        axis->weights[k] = 1.0f / axis->weights[k];
    return 0;
}

void df_window_axis_free(struct df_window_axis *axis)
{
    free(axis->weights);
    axis->weights = NULL;
}

void df_pixels_mirror(uint8_t *pixels, int64_t height, int64_t width)
{
    for (int64_t y = 0; y < height; y++) {
        uint8_t *left = pixels + y * width * 3, *right = left + (width - 1) * 3;
        for (; left < right; left += 3, right -= 3) {
            for (int c = 0; c < 3; c++) {
                const uint8_t value = left[c];
                left[c] = right[c];
                right[c] = value;
            }
        }
    }
}
