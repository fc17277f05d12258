/* Online hard example mining: a pass over the enlarged logits for the probability of each pixel's label, of
 * which the lowest are then found by their bits. */
#include "cpu_backend.h"
#include "cpu_context.h"
#include "upsample.h"

#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

#define IGNORED (-1.0f)

/* The labels' probabilities of one output row. */
DF_MULTIVERSION static void confidence_row(const struct df_upsample_loss *work, int64_t row,
                                           float *confidence)
{
    const float scale = (float)work->w / (float)work->width;
    const int32_t padded = padded_classes(work->classes);
    const uint8_t *labels = work->labels + row * work->width;
    const float *upper, *lower;
    const struct tap y = source_rows(work, row, &upper, &lower);
    struct columns columns;

    clear_columns(&columns, work->classes);
    for (int64_t i = 0; i < work->width; i++) {
        const struct tap x = bilinear_tap(i, scale, work->w);
        confidence[i] = IGNORED;
        if (labels[i] == DF_IGNORE_LABEL)
            continue;
        assert(labels[i] < work->classes);
        read_pixel(&columns, upper, lower, y, x, work->classes);
        const float sum = exponentials(columns.value, maximum(columns.value, padded), padded);
        confidence[i] = columns.value[labels[i]] / sum;
    }
}

/* Numbers that are not negative have the order of their bits. */
static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#define DIGITS 2048 /* of a digit of 11 bits; the last has 10 */

/* How many of the values that begin with `prefix` have each digit behind it. */
static void count_digits(const float *values, int64_t count, uint32_t prefix, int shift, int64_t *digits)
{
    memset(digits, 0, DIGITS * sizeof *digits);
    for (int64_t i = 0; i < count; i++) {
        const uint32_t bits = bits_of(values[i]);
        if (bits >> 31 == 0 && (uint64_t)bits >> (shift + 11) == prefix)
            digits[bits >> shift & (DIGITS - 1)]++;
    }
}

/* The value of that rank among those that count, from 0 on; the largest where there are fewer; 0 of none. */
static float value_of_rank(const float *values, int64_t count, int64_t rank)
{
    int64_t digits[DIGITS], all = 0;
    uint32_t prefix = 0;
    float value;

    for (int shift = 22; shift >= 0; shift -= 11) {
        int64_t digit = 0;
        count_digits(values, count, prefix, shift, digits);
        for (int64_t i = 0; shift == 22 && i < DIGITS; i++)
            all += digits[i];
        if (all == 0)
            return 0.0f;
        rank = df_min_i64(rank, all - 1);
        for (; rank >= digits[digit]; digit++)
            rank -= digits[digit];
        prefix = prefix << 11 | (uint32_t)digit;
    }
    memcpy(&value, &prefix, sizeof value);
    return value;
}

int df_cpu_hard_pixels(struct df_backend *backend, const struct df_upsample_loss *work, float threshold,
                       int64_t least, uint8_t *hard)
{
    const int64_t rows = work->batch * work->height, count = rows * work->width;
    float *confidence = df_cpu_scratch(backend, (size_t)count * sizeof *confidence);

    if (!confidence)
        return -1;
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t row = 0; row < rows; row++)
        confidence_row(work, row, confidence + row * work->width);
    const float of_rank = value_of_rank(confidence, count, least);
    const float bound = of_rank > threshold ? of_rank : threshold;
    /* One that is no number stays, and shows in the loss. */
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < count; i++)
        hard[i] = confidence[i] >= bound ? DF_IGNORE_LABEL : work->labels[i];
    return 0;
}
