/* Pixels to patches. */
#include "cpu_backend.h"
#include "rows.h"

#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

#define CHUNK 4096 /* elements rounded at a time */

int df_cpu_image_normalize(struct df_backend *backend, const uint8_t *pixels, float *image, int64_t batch,
                           int64_t height, int64_t width, const float mean[3], const float std[3])
{
    float table[3][256];
    for (int c = 0; c < 3; c++)
        for (int value = 0; value < 256; value++)
            table[c][value] = ((float)value / 255.0f - mean[c]) / std[c];
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < batch * height; row++) {
        const int64_t b = row / height, y = row % height;
        const uint8_t *from = pixels + row * width * 3;
        for (int64_t c = 0; c < 3; c++) {
            float *to = image + ((b * 3 + c) * height + y) * width;
            for (int64_t x = 0; x < width; x++)
                to[x] = table[c][from[3 * x + c]];
        }
    }
    return 0;
}

/* Cuts pixels into `count` pieces, which go to patches a row of `row_bytes` apart. */
static void cut_pieces(const char *pixels, size_t piece_bytes, char *patches, size_t row_bytes, int64_t count)
{
    for (int64_t j = 0; j < count; j++)
        memcpy(patches + (size_t)j * row_bytes, pixels + (size_t)j * piece_bytes, piece_bytes);
}

/* A line of an image to `count` patches, from element `at` of the first on. */
static void cut_line(enum df_dtype type, const float *line, void *patches, int64_t at, int64_t row_size,
                     int64_t patch, int64_t count)
{
    const size_t bytes = df_dtype_size(type), piece_bytes = (size_t)patch * bytes;
    char *to = (char *)patches + (size_t)at * bytes;
    if (type == DF_F32) {
        cut_pieces((const char *)line, piece_bytes, to, (size_t)row_size * bytes, count);
        return;
    }
    uint16_t rounded[CHUNK];
    const int64_t together = CHUNK / patch;
    assert(together > 0);
    for (int64_t j = 0; j < count; j += together) {
        const int64_t n = df_min_i64(together, count - j);
        df_narrow(rounded, line + j * patch, n * patch);
        cut_pieces((const char *)rounded, piece_bytes, to + (size_t)(j * row_size) * bytes,
                   (size_t)row_size * bytes, n);
    }
}

int df_cpu_patchify(struct df_backend *backend, const float *image, void *patches, int64_t batch,
                    int64_t height, int64_t width, int64_t patch)
{
    const int64_t h = height / patch, w = width / patch, row_size = 3 * patch * patch;
    assert(h * patch == height && w * patch == width);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < batch * h; row++) {
        const int64_t b = row / h, i = row % h;
        for (int64_t line = 0; line < 3 * patch; line++) {
            const int64_t c = line / patch, y = i * patch + line % patch;
            const float *from = image + ((b * 3 + c) * height + y) * width;
            cut_line(backend->compute, from, patches, row * w * row_size + line * patch, row_size, patch, w);
        }
    }
    return 0;
}
