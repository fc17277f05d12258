/* Moving and adding: bias and its gradient, pixels to patches, patches to tokens, type conversion. */
#include "act.h"
#include "cpu_backend.h"
#include "rows.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

#define GROUP      256 /* columns that are summed together */
#define MAX_CHUNKS 32  /* of rows, whatever the number of threads */
#define MIN_ROWS   256
#define CHUNK      4096 /* elements converted at a time */

DF_INLINE void sum_loop(enum df_dtype type, const void *x, int64_t at, int64_t ld, int64_t rows,
                        int64_t columns, double *sums)
{
    memset(sums, 0, (size_t)columns * sizeof(double));
    for (int64_t row = 0; row < rows; row++) {
#pragma omp simd
        for (int64_t i = 0; i < columns; i++)
            sums[i] += (double)df_act_load(type, x, at + row * ld + i);
    }
}

/* Of a block of x, which begins at element `at`. */
DF_MULTIVERSION static void sum_rows(enum df_dtype type, const void *x, int64_t at, int64_t ld, int64_t rows,
                                     int64_t columns, double *sums)
{
    DF_ACT_CALL(type, sum_loop, x, at, ld, rows, columns, sums);
}

/* Chunks of rows side by side, then the chunks in order, in double. */
int df_cpu_column_sum(struct df_backend *backend, struct df_matrix x, float *out)
{
    const int64_t chunks = df_min_i64(MAX_CHUNKS, (x.rows + MIN_ROWS - 1) / MIN_ROWS);
    assert(x.type == DF_F32 || x.type == DF_BF16);
    for (int64_t column = 0; column < x.cols; column += GROUP) {
        const int64_t columns = df_min_i64(GROUP, x.cols - column);
        double partial[MAX_CHUNKS][GROUP];
#pragma omp parallel for num_threads(backend->threads)
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const int64_t begin = x.rows * chunk / chunks, end = x.rows * (chunk + 1) / chunks;
            sum_rows(x.type, x.data, begin * x.ld + column, x.ld, end - begin, columns, partial[chunk]);
        }
        for (int64_t i = 0; i < columns; i++) {
            double total = 0.0;
            for (int64_t chunk = 0; chunk < chunks; chunk++)
                total += partial[chunk][i];
            out[column + i] = (float)total;
        }
    }
    return 0;
}

int df_cpu_add_bias(struct df_backend *backend, struct df_matrix x, const float *bias)
{
    float *data = x.data;
    assert(x.type == DF_F32);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < x.rows; row++) {
        float *to = data + row * x.ld;
#pragma omp simd
        for (int64_t i = 0; i < x.cols; i++)
            to[i] += bias[i];
    }
    return 0;
}

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

int df_cpu_assemble_tokens(struct df_backend *backend, const float *patches, const float *prefix,
                           const float *pos, float *x, struct df_token_rows rows, int64_t dim)
{
    const int64_t n_prefix = rows.tokens - rows.rows; /* the chosen rows are the patches */
    assert(rows.first == n_prefix);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < rows.batch * rows.tokens; i++) {
        const int64_t b = i / rows.tokens, token = i % rows.tokens;
        float *to = x + i * dim;
        if (token < n_prefix) {
            memcpy(to, prefix + token * dim, (size_t)dim * sizeof(float));
            continue;
        }
        const float *patch = patches + (b * rows.rows + token - n_prefix) * dim;
        if (!pos) {
            memcpy(to, patch, (size_t)dim * sizeof(float));
            continue;
        }
        const float *position = pos + (token - n_prefix) * dim;
#pragma omp simd
        for (int64_t d = 0; d < dim; d++)
            to[d] = patch[d] + position[d];
    }
    return 0;
}

static void convert_chunk(const void *source, enum df_dtype from, void *destination, enum df_dtype to,
                          int64_t begin, int64_t end)
{
    const size_t n = (size_t)(end - begin);
    const char *in = (const char *)source + (size_t)begin * df_dtype_size(from);
    char *out = (char *)destination + (size_t)begin * df_dtype_size(to);
    if (from == to)
        memcpy(out, in, n * df_dtype_size(to));
    else if (from == DF_BF16)
        df_widen((float *)(void *)out, (const uint16_t *)(const void *)in, end - begin);
    else if (to == DF_BF16)
        df_narrow((uint16_t *)(void *)out, (const float *)(const void *)in, end - begin);
    else if (to == DF_F32)
        df_convert_to_f32((float *)(void *)out, in, from, n);
    else
        (void)df_convert_from_f32(out, to, (const float *)(const void *)in, n);
}

int df_cpu_convert(struct df_backend *backend, const void *source, enum df_dtype from, void *destination,
                   enum df_dtype to, int64_t count)
{
    if (from != to && from != DF_F32 && to != DF_F32)
        return df_error_set("cannot convert %s to %s: one of them must be float32", df_dtype_name(from),
                            df_dtype_name(to));
    if (to != from && to != DF_F32 && to != DF_BF16 && to != DF_F16)
        return df_error_set("cannot convert float32 to %s", df_dtype_name(to));
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t first = 0; first < count; first += CHUNK)
        convert_chunk(source, from, destination, to, first, df_min_i64(first + CHUNK, count));
    return 0;
}
