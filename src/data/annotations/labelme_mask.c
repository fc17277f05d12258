/* labelme's masks: small PNGs in base64. */
#include "labelme.h"

#include "../codec.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* bytes [3 / 4 of the text, and 3]. How many; -1 with the error set. */
static int64_t decode_base64(const char *text, unsigned char *bytes)
{
    uint32_t group = 0;
    int64_t count = 0;
    int digits = 0;

    for (; *text && *text != '='; text++) {
        if (*text == '\n' || *text == '\r')
            continue;
        const int digit = digit_of(*text);
        if (digit < 0)
            return df_error_set("a mask is not in base64: it holds the byte 0x%02x", (unsigned char)*text);
        group = group << 6 | (uint32_t)digit;
        if (++digits % 4 != 1)
            bytes[count++] = (unsigned char)(group >> (6 - 2 * ((digits + 3) % 4)));
    }
    return count;
}

static bool is_drawn(const struct df_image *picture, int64_t pixel)
{
    const uint8_t *rgb = picture->pixels + 3 * pixel;
    return rgb[0] || rgb[1] || rgb[2];
}

/* The runs of the picture's pixels, row by row, the first of those that are 0; counts only where runs is
 * NULL. */
static size_t find_runs(const struct df_image *picture, uint32_t *runs)
{
    const int64_t pixels = picture->width * picture->height;
    size_t count = 0;
    bool drawn = false;
    int64_t start = 0;

    for (int64_t i = 0; i <= pixels; i++) {
        if (i < pixels && is_drawn(picture, i) == drawn)
            continue;
        if (runs)
            runs[count] = (uint32_t)(i - start);
        count++;
        start = i;
        drawn = !drawn;
    }
    return count;
}

static int add_picture(struct df_annotations *annotations, int64_t number, int label,
                       const struct df_image *picture, const int64_t corners[4])
{
    const struct df_annotated_image *image = df_annotations_image(annotations, number);

    if (picture->width != corners[2] - corners[0] + 1 || picture->height != corners[3] - corners[1] + 1)
        return df_error_set("a mask of %lld x %lld pixels between (%lld, %lld) and (%lld, %lld)",
                            (long long)picture->width, (long long)picture->height, (long long)corners[0],
                            (long long)corners[1], (long long)corners[2], (long long)corners[3]);
    if (corners[0] < 0 || corners[1] < 0 ||
        (image->width > 0 && (corners[2] >= image->width || corners[3] >= image->height)))
        return df_error_set("a mask lies outside the image");
    const size_t n_runs = find_runs(picture, NULL);
    double *box = df_annotations_numbers(annotations, 4);
    uint32_t *runs = df_annotations_runs(annotations, n_runs);
    if (!box || !runs)
        return -1;
    memcpy(box,
           (const double[]){(double)corners[0], (double)corners[1], (double)picture->width,
                            (double)picture->height},
           4 * sizeof *box);
    find_runs(picture, runs);
    return df_annotations_add_shape(annotations, number, DF_SHAPE_ROW_RUNS, label, 4, n_runs);
}

int df_labelme_add_mask(struct df_annotations *annotations, int64_t image, int label, const char *base64,
                        const double *points)
{
    const int64_t corners[4] = {(int64_t)points[0], (int64_t)points[1], (int64_t)points[2],
                                (int64_t)points[3]};
    const size_t most = strlen(base64) / 4 * 3 + 3;
    unsigned char *bytes = malloc(most);
    struct df_image picture = {0};

    if (!bytes)
        return df_error_memory("a mask", most);
    const int64_t size = decode_base64(base64, bytes);
    int status = -1;
    if (size >= 0 && df_png_decode(bytes, (size_t)size, &picture) == 0)
        status = add_picture(annotations, image, label, &picture, corners);
    df_image_free(&picture);
    free(bytes);
    return status;
}
