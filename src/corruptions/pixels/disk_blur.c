/* A row of the kernel is a sum of nested spans, each with the step from one weight to the next for its own: a
 * few at the disk's rim, nothing in its middle. The sum of the pixels under a span is the difference of two
 * running sums. So a pixel costs its spans, some 30 at a radius of 6, rather than some 150 weights, and the
 * only rounding is that of some 30 sums in double. */
#include "disk_blur.h"

#include "opencv_gaussian.h"
#include "pair.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SIDE  (2 * DISK_MOST_RADIUS + 1)
#define MOST_SPANS ((DISK_MOST_RADIUS + 1) * (DISK_MOST_RADIUS + 1))
#define NEGLIGIBLE 1e-12 /* of weights whose sum is 1 */

/* The pixels up to reach away in the row above and in the row below at a distance. */
struct span {
    int distance, reach;
    double weight;
};

/* The same in running sums: where the span of pixel 0 begins and ends. */
struct placed_span {
    const double *left, *right;
    double weight;
};

struct disk {
    int side;
    float weights[MOST_SIDE * MOST_SIDE]; /* [side, side] */
};

/* The weighted sum of the values up to `reach` either way of one in a line of `side` values, `stride` apart,
 * which continues as BORDER_REFLECT_101: in float32, as OpenCV adds them. */
static float smoothed(const float *line, int at, int side, int stride, const double *weights, int reach)
{
    float sum = line[at * stride] * (float)weights[reach];

    for (int k = 1; k <= reach; k++) {
        const int64_t before = border_index(at - k, side, BORDER_REFLECT_101);
        const int64_t after = border_index(at + k, side, BORDER_REFLECT_101);
        sum += (line[before * stride] + line[after * stride]) * (float)weights[reach + k];
    }
    return sum;
}

static void make_disk(struct disk *disk, int radius, double alias_blur)
{
    const int middle = radius > 8 ? radius : 8, reach = radius <= 8 ? 1 : 2;
    const int side = 2 * middle + 1;
    float sharp[MOST_SIDE * MOST_SIDE], rows[MOST_SIDE * MOST_SIDE];
    double weights[5];
    int area = 0;

    disk->side = side;
    for (int i = 0; i < side * side; i++) {
        const int x = i % side - middle, y = i / side - middle;
        sharp[i] = x * x + y * y <= radius * radius ? 1.0f : 0.0f;
        area += sharp[i] != 0.0f;
    }
    for (int i = 0; i < side * side; i++)
        sharp[i] /= (float)area;
    opencv_gaussian_weights(weights, 2 * reach + 1, alias_blur);
    for (int i = 0; i < side * side; i++)
        rows[i] = smoothed(sharp + i / side * side, i % side, side, 1, weights, reach);
    for (int i = 0; i < side * side; i++)
        disk->weights[i] = smoothed(rows + i % side, i / side, side, side, weights, reach);
}

/* Sorted by distance. */
static int make_spans(struct span spans[MOST_SPANS], const struct disk *disk)
{
    const int middle = disk->side / 2;
    int count = 0;

    for (int distance = 0; distance <= middle; distance++) {
        const float *row = disk->weights + (middle + distance) * disk->side + middle;
        for (int reach = 0; reach <= middle; reach++) {
            const double step = (double)row[reach] - (reach < middle ? (double)row[reach + 1] : 0.0);
            if (step > NEGLIGIBLE || step < -NEGLIGIBLE)
                spans[count++] = (struct span){distance, reach, step};
        }
    }
    return count;
}

/* Running sums along a row and its margins: [width + 2 * middle + 1, channels], the first of which is 0. */
static void run_sums(const uint8_t *row, int64_t width, int channels, int middle, double *sums)
{
    int32_t sum[3] = {0};

    assert(channels <= 3);
    for (int64_t x = -middle; x <= width + middle; x++, sums += channels) {
        const uint8_t *pixel = row + border_index(x, width, BORDER_REFLECT_101) * channels;
        for (int c = 0; c < channels; c++) {
            sums[c] = sum[c];
            sum[c] += pixel[c];
        }
    }
}

/* sums[i] = the sum of weight * (right[i] - left[i]) over the spans. */
static void sum_spans(double *restrict sums, const struct placed_span *spans, int count, int64_t values)
{
    int64_t at = 0;

    for (; at + PAIRS_BLOCK <= values; at += PAIRS_BLOCK) {
        pair sum[PAIRS] = {{0.0}};
        for (int k = 0; k < count; k++) {
            const double *left = spans[k].left + at, *right = spans[k].right + at;
            for (int i = 0; i < PAIRS; i++)
                sum[i] += (pair_at(right + 2 * i) - pair_at(left + 2 * i)) * spans[k].weight;
        }
        memcpy(sums + at, sum, sizeof sum);
    }
    for (; at < values; at++) {
        sums[at] = 0.0;
        for (int k = 0; k < count; k++)
            sums[at] += (spans[k].right[at] - spans[k].left[at]) * spans[k].weight;
    }
}

/* pairs [farthest + 1, stride]: the running sums of the rows above and below y at each distance, together. Of
 * sums [held, stride], row y is in y % held. */
static void pair_rows(double *restrict pairs, const double *restrict sums, int64_t held, int64_t stride,
                      int64_t y, int64_t height, int farthest)
{
    memcpy(pairs, sums + y % held * stride, (size_t)stride * sizeof *pairs);
    for (int distance = 1; distance <= farthest; distance++) {
        const double *above = sums + border_index(y - distance, height, BORDER_REFLECT_101) % held * stride;
        const double *below = sums + border_index(y + distance, height, BORDER_REFLECT_101) % held * stride;
        for (int64_t i = 0; i < stride; i++)
            pairs[distance * stride + i] = above[i] + below[i];
    }
}

int disk_blur(const struct df_image *image, int radius, double alias_blur, row_taker *take, void *result)
{
    const int channels = image->channels;
    const int64_t height = image->height, values = image->width * channels;
    struct disk disk;
    struct span spans[MOST_SPANS];
    struct placed_span placed[MOST_SPANS];
    int64_t next = 0; /* row to be summed */
    int status = -1;

    assert(radius >= 1 && radius <= DISK_MOST_RADIUS);
    make_disk(&disk, radius, alias_blur);
    const int middle = disk.side / 2, count = make_spans(spans, &disk);
    const int64_t stride = values + (2 * middle + 1) * channels;
    const int64_t held = df_min_i64(disk.side, height); /* rows whose sums are kept */
    double *sums = malloc((size_t)(held * stride) * sizeof *sums);
    double *pairs = malloc((size_t)((middle + 1) * stride) * sizeof *pairs);
    double *row = malloc((size_t)values * sizeof *row);
    if (!sums || !pairs || !row) {
        df_error_memory("blurring an image", (unsigned long long)(held * stride) * sizeof *sums);
        goto done;
    }
    for (int k = 0; k < count; k++) {
        const double *both = pairs + spans[k].distance * stride;
        placed[k] = (struct placed_span){both + (middle - spans[k].reach) * channels,
                                         both + (middle + spans[k].reach + 1) * channels, spans[k].weight};
    }
    for (int64_t y = 0; y < height; y++) {
        for (; next <= df_min_i64(y + middle, height - 1); next++)
            run_sums(image->pixels + next * values, image->width, channels, middle,
                     sums + next % held * stride);
        pair_rows(pairs, sums, held, stride, y, height, spans[count - 1].distance);
        sum_spans(row, placed, count, values);
        take(result, y, row);
    }
    status = 0;
done:
    free(sums);
    free(pairs);
    free(row);
    return status;
}
