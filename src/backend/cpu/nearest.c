/* Resizing NHWC maps by nearest neighbour, as PyTorch's `nearest` chooses its pixels, and its gradient. */
#include "cpu_backend.h"
#include "first_reader.h"
#include "vector_math.h"

#include "dinoft/size.h"

#include <string.h>

#define GROUP 256 /* channels that are summed together */

/* The source index of output index i; the cast rounds down, nothing here is negative. */
static int64_t nearest_source(int64_t i, float scale, int64_t in)
{
    return df_min_i64((int64_t)((float)i * scale), in - 1);
}

/* A row of source pixels, from element `from` of x on, added to the row of y that begins at element `to`. */
DF_MULTIVERSION static void add_row(const float *x, int64_t from, int64_t w, float *y, int64_t to,
                                    int64_t width, int64_t channels)
{
    const float scale = (float)w / (float)width;
    for (int64_t i = 0; i < width; i++) {
        const int64_t source = from + nearest_source(i, scale, w) * channels, at = to + i * channels;
#pragma omp simd
        for (int64_t c = 0; c < channels; c++)
            y[at + c] += x[source + c];
    }
}

/* The same row in place of what was there. */
static void copy_row(const float *x, int64_t from, int64_t w, float *y, int64_t to, int64_t width,
                     int64_t channels)
{
    const float scale = (float)w / (float)width;
    for (int64_t i = 0; i < width; i++)
        memcpy(y + to + i * channels, x + from + nearest_source(i, scale, w) * channels,
               (size_t)channels * sizeof *y);
}

int df_cpu_nearest_forward(struct df_backend *backend, const float *x, int64_t batch, int64_t h, int64_t w,
                           float *y, int64_t height, int64_t width, int64_t channels, bool accumulate)
{
    const float scale = (float)h / (float)height;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < batch * height; row++) {
        const int64_t from = (row / height * h + nearest_source(row % height, scale, h)) * w * channels;
        (accumulate ? add_row : copy_row)(x, from, w, y, row * width * channels, width, channels);
    }
    return 0;
}

/* The output pixels [top, bottom) x [left, right) of an image of `width` columns. */
struct readers {
    int64_t top, bottom, left, right, width;
};

/* dx [channels], from element `to` on = the sum of dy, whose image begins at element `from`, over the readers
 * from top left to bottom right; in float32, however many they are. */
DF_MULTIVERSION static void gather_pixel(const float *dy, int64_t from, const struct readers *readers,
                                         float *dx, int64_t to, int64_t channels)
{
    for (int64_t first = 0; first < channels; first += GROUP) {
        const int64_t count = df_min_i64(GROUP, channels - first);
        float sums[GROUP];
        memset(sums, 0, (size_t)count * sizeof(float));
        for (int64_t j = readers->top; j < readers->bottom; j++) {
            for (int64_t i = readers->left; i < readers->right; i++) {
                const int64_t at = from + (j * readers->width + i) * channels + first;
#pragma omp simd
                for (int64_t c = 0; c < count; c++)
                    sums[c] += dy[at + c];
            }
        }
#pragma omp simd
        for (int64_t c = 0; c < count; c++)
            dx[to + first + c] = sums[c];
    }
}

int df_cpu_nearest_backward(struct df_backend *backend, const float *dy, int64_t batch, int64_t height,
                            int64_t width, float *dx, int64_t h, int64_t w, int64_t channels)
{
    const float scale_y = (float)h / (float)height, scale_x = (float)w / (float)width;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < batch * h; row++) {
        const int64_t image = row / h * height * width * channels, source_y = row % h;
        struct readers readers = {.width = width};
        readers.top = df_first_reader(nearest_source, source_y, scale_y, h, height);
        readers.bottom = df_first_reader(nearest_source, source_y + 1, scale_y, h, height);
        for (int64_t i = 0; i < w; i++) {
            readers.left = readers.right;
            readers.right = df_first_reader(nearest_source, i + 1, scale_x, w, width);
            gather_pixel(dy, image, &readers, dx, (row * w + i) * channels, channels);
        }
    }
    return 0;
}
