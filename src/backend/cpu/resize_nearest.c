/* Resizing NHWC maps by nearest neighbour, as PyTorch's `nearest` chooses its pixels, and its gradient. */
#include "cpu_backend.h"
#include "first_reader.h"

#include "dinoft/size.h"

#include <string.h>

/* The source index of output index i; the cast rounds down, nothing here is negative. */
static int64_t nearest_source(int64_t i, float scale, int64_t in)
{
    return df_min_i64((int64_t)((float)i * scale), in - 1);
}

static void add_pixel(float *restrict to, const float *restrict from, int64_t channels)
{
#pragma omp simd
    for (int64_t c = 0; c < channels; c++)
        to[c] += from[c];
}

int df_cpu_nearest_forward(struct df_backend *backend, const void *x, int64_t batch, int64_t h, int64_t w,
                           void *y, int64_t height, int64_t width, int64_t channels, bool accumulate)
{
    const float scale_y = (float)h / (float)height, scale_x = (float)w / (float)width;
    const float *in = x;
    float *out = y;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < batch * height; row++) {
        const int64_t source_y = nearest_source(row % height, scale_y, h);
        const float *from = in + (row / height * h + source_y) * w * channels;
        float *to = out + row * width * channels;
        for (int64_t i = 0; i < width; i++) {
            const float *pixel = from + nearest_source(i, scale_x, w) * channels;
            if (accumulate)
                add_pixel(to + i * channels, pixel, channels);
            else
                memcpy(to + i * channels, pixel, (size_t)channels * sizeof(float));
        }
    }
    return 0;
}

/* One thread owns a row of dx and adds the output pixels that read it from top left to bottom right. */
int df_cpu_nearest_backward(struct df_backend *backend, const void *dy, int64_t batch, int64_t height,
                            int64_t width, void *dx, int64_t h, int64_t w, int64_t channels)
{
    const float scale_y = (float)h / (float)height, scale_x = (float)w / (float)width;
    const float *gradient = dy;
    float *out = dx;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < batch * h; row++) {
        const int64_t image = row / h, source_y = row % h;
        const int64_t end = df_first_reader(nearest_source, source_y + 1, scale_y, h, height);
        float *to = out + row * w * channels;
        memset(to, 0, (size_t)(w * channels) * sizeof(float));
        for (int64_t j = df_first_reader(nearest_source, source_y, scale_y, h, height); j < end; j++) {
            const float *from = gradient + (image * height + j) * width * channels;
            for (int64_t i = 0; i < width; i++)
                add_pixel(to + nearest_source(i, scale_x, w) * channels, from + i * channels, channels);
        }
    }
    return 0;
}
