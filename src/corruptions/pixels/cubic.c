/* OpenCV's bicubic interpolation (Keys 1981 with a = -0.75) for 8 bits: weights in 11 bits of fraction, sums
 * of rows in integers, sums of columns in float32. */
#include "cubic.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define WEIGHT_ONE 2048
#define TAPS       4

struct tap {
    int32_t at[TAPS]; /* source rows or columns; beyond the edge the edge again */
    int16_t weight[TAPS];
};

static void cubic_weights(float x, float weight[TAPS])
{
    const float a = -0.75f;

    weight[0] = ((a * (x + 1.0f) - 5.0f * a) * (x + 1.0f) + 8.0f * a) * (x + 1.0f) - 4.0f * a;
    weight[1] = ((a + 2.0f) * x - (a + 3.0f)) * x * x + 1.0f;
    weight[2] = ((a + 2.0f) * (1.0f - x) - (a + 3.0f)) * (1.0f - x) * (1.0f - x) + 1.0f;
    weight[3] = 1.0f - weight[0] - weight[1] - weight[2];
}

/* For the pixels first, first + 1, … of `full` that `source` ones become. */
static void make_taps(struct tap *taps, int64_t source, int64_t full, int64_t first, int64_t count)
{
    const double step = 1.0 / ((double)full / (double)source);

    for (int64_t i = 0; i < count; i++) {
        const float position = (float)(((double)(first + i) + 0.5) * step - 0.5);
        const int64_t whole = (int64_t)floorf(position);
        float weights[TAPS];
        cubic_weights(position - (float)whole, weights);
        for (int k = 0; k < TAPS; k++) {
            const int64_t at = whole - 1 + k;
            taps[i].at[k] = (int32_t)(at < 0 ? 0 : at >= source ? source - 1 : at);
            taps[i].weight[k] = (int16_t)lrintf(weights[k] * WEIGHT_ONE);
        }
    }
}

static void cubic_row(const uint8_t *restrict row, const struct tap *restrict taps, int64_t width,
                      float *restrict sums)
{
    for (int64_t x = 0; x < width; x++) {
        const struct tap *tap = &taps[x];
        for (int c = 0; c < 3; c++) {
            int sum = 0;
            for (int k = 0; k < TAPS; k++)
                sum += row[3 * tap->at[k] + c] * tap->weight[k];
            sums[3 * x + c] = (float)sum;
        }
    }
}

static void cubic_columns(const float *const rows[TAPS], const int16_t weight[TAPS], int64_t count,
                          uint8_t *restrict out)
{
    const float unit = 1.0f / (WEIGHT_ONE * WEIGHT_ONE);
    const float a = (float)weight[0] * unit, b = (float)weight[1] * unit;
    const float c = (float)weight[2] * unit, d = (float)weight[3] * unit;

    for (int64_t i = 0; i < count; i++) {
        const float sum = rows[0][i] * a + (rows[1][i] * b + (rows[2][i] * c + rows[3][i] * d));
        out[i] = (uint8_t)lrintf(sum < 0.0f ? 0.0f : sum > 255.0f ? 255.0f : sum);
    }
}

int cubic_cut(const struct df_image *source, int64_t full_width, int64_t full_height, int64_t left,
              int64_t top, int64_t width, int64_t height, struct df_image *cut)
{
    int64_t held[TAPS] = {-1, -1, -1, -1}; /* which source row each of the sums has */
    int status = -1;

    assert(source->channels == 3 && left >= 0 && top >= 0 && left + width <= full_width &&
           top + height <= full_height);
    DF_TRY(df_image_alloc(cut, width, height, 3));
    struct tap *columns = malloc((size_t)width * sizeof *columns);
    struct tap *rows = malloc((size_t)height * sizeof *rows);
    float *sums = malloc(TAPS * 3 * (size_t)width * sizeof *sums);
    if (!columns || !rows || !sums) {
        df_error_memory("enlarging an image", (unsigned long long)(width + height) * sizeof *rows);
        df_image_free(cut);
        goto done;
    }
    make_taps(columns, source->width, full_width, left, width);
    make_taps(rows, source->height, full_height, top, height);
    for (int64_t y = 0; y < height; y++) {
        const float *taken[TAPS];
        for (int k = 0; k < TAPS; k++) {
            const int64_t row = rows[y].at[k];
            float *sum = sums + row % TAPS * 3 * width; /* neighbours lie in different slots */
            if (held[row % TAPS] != row)
                cubic_row(source->pixels + row * source->width * 3, columns, width, sum);
            held[row % TAPS] = row;
            taken[k] = sum;
        }
        cubic_columns(taken, rows[y].weight, width * 3, cut->pixels + y * width * 3);
    }
    status = 0;
done:
    free(columns);
    free(rows);
    free(sums);
    return status;
}
