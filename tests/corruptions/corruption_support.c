#include "corruptions/corruption_support.h"
#include "support/errors.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PHOTOGRAPHS DINOFT_SOURCE_DIR "/weights/frost"

int subject_open(struct subject *subject, int argc, char **argv)
{
    *subject = (struct subject){0};
    subject->corruption = argc == 2 ? df_corruption_named(argv[1]) : NULL;
    if (!subject->corruption) {
        fprintf(stderr, "%s\n", argc == 2 ? df_error_text() : "usage: PROGRAM CORRUPTION");
        return 1;
    }
    if (!subject->corruption->needs_frost)
        return 0;
    if (access(PHOTOGRAPHS, R_OK) != 0) {
        printf("SKIP: %s needs its photographs: scripts/get_frost.py weights/frost fetches them\n",
               subject->corruption->name);
        return SKIPPED;
    }
    subject->frost = df_frost_open(PHOTOGRAPHS, "");
    if (subject->frost)
        return 0;
    fprintf(stderr, "%s\n", df_error_text());
    return 1;
}

void subject_close(struct subject *subject)
{
    df_frost_free(subject->frost);
}

struct df_image fixture_image(const char *name)
{
    struct df_image image;
    char path[512];

    snprintf(path, sizeof path, "%s/corruptions/%s.png", DINOFT_FIXTURES, name);
    assert_works(df_image_read(path, NULL, &image) == 0);
    return image;
}

size_t image_bytes(const struct df_image *image)
{
    return (size_t)(image->width * image->height * image->channels);
}

struct df_image copy_image(const struct df_image *image)
{
    struct df_image copy;

    assert_int_equal(df_image_alloc(&copy, image->width, image->height, image->channels), 0);
    memcpy(copy.pixels, image->pixels, image_bytes(image));
    return copy;
}

struct df_image corrupted(const struct subject *subject, int severity, uint64_t seed, const char *name,
                          const struct df_image *image, struct df_image *mask)
{
    struct df_image copy = copy_image(image);

    assert_works(df_corrupt(subject->corruption, severity, seed, name, subject->frost, &copy, mask) == 0);
    assert_true(copy.width == image->width && copy.height == image->height && copy.channels == 3);
    return copy;
}

/* Mean |difference| of values dx pixels and dy rows apart. */
static double mean_step(const struct df_image *image, int64_t dx, int64_t dy)
{
    const int64_t width = image->width - dx, height = image->height - dy, row = image->width * 3;
    int64_t sum = 0;

    for (int64_t y = 0; y < height; y++) {
        for (int64_t i = 0; i < width * 3; i++) {
            const uint8_t *at = image->pixels + y * row + i;
            sum += abs(at[dy * row + dx * 3] - at[0]);
        }
    }
    return (double)sum / (double)(width * height * 3);
}

void image_columns(const struct df_image *clean, const struct df_image *result, double columns[COLUMNS])
{
    const int64_t pixels = result->width * result->height;
    int64_t sums[3] = {0}, absolute = 0, error = 0, square = 0, zeros = 0, full = 0;

    for (int64_t i = 0; i < pixels * 3; i++) {
        const int value = result->pixels[i], difference = value - clean->pixels[i];
        sums[i % 3] += value;
        absolute += abs(difference);
        error += difference * difference;
        square += value * value;
        zeros += value == 0;
        full += value == 255;
    }
    const double count = (double)pixels * 3;
    const double mean = (double)(sums[0] + sums[1] + sums[2]) / count;
    columns[MAE] = (double)absolute / count;
    columns[PSNR_DB] = 10 * log10(255.0 * 255.0 / fmax(1e-9, (double)error / count));
    for (int c = 0; c < 3; c++)
        columns[MEAN_R + c] = (double)sums[c] / (double)pixels;
    columns[STD] = sqrt((double)square / count - mean * mean);
    columns[MEAN_ABS_DX] = mean_step(result, 1, 0);
    columns[MEAN_ABS_DY] = mean_step(result, 0, 1);
    columns[FRACTION_0] = (double)zeros / count;
    columns[FRACTION_255] = (double)full / count;
}
