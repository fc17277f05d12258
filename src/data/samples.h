/* The values of an image that are no bytes yet: of 16-bit files, of floating-point numbers, of chosen bands.
 */
#ifndef DINOFT_DATA_SAMPLES_H
#define DINOFT_DATA_SAMPLES_H

#include "dinoft/image.h"

#include <float.h>
#include <stdbool.h>

enum df_sample_kind { DF_SAMPLES_UNSIGNED, DF_SAMPLES_SIGNED, DF_SAMPLES_FLOAT };

struct df_samples {
    int64_t width, height;
    int bands; /* 1 or 3; before df_samples_choose() also others */
    enum df_sample_kind kind;
    int bytes;      /* of a value, in this machine's order: 1, 2, 4 or 8; DF_SAMPLES_FLOAT: not 1 */
    int bits;       /* that matter, of unsigned values of one or two bytes: the others are 0 */
    int largest;    /* of those: the value of white; 0: all bits */
    bool is_colour; /* 16 bits become bytes by rounding, as OpenCV does it for TIFFs of RGB */
    bool inverted;  /* the largest value is black */
    bool has_none;  /* the value `none` means that there is no value, as NaN does */
    double none;
    void *values; /* [height, width, bands] */
};

/* Values unset; the size has been checked. -1 with the error set. */
int df_samples_alloc(struct df_samples *samples);
void df_samples_free(struct df_samples *samples);

/* Of a file whose bands are red, green and blue, whatever it holds: -1 with the error set for another one. */
int df_samples_check_bands(const struct df_image_reading *reading);

/* Keeps `count` of the bands, at most as many as there are, which are 4 at the most, in this order, numbered
 * from 1 on. */
void df_samples_choose(struct df_samples *samples, const int *bands, int count);

/* Some of the values, numbered in memory's order. */
#define DF_SAMPLES_PART 1024 /* a good number of them */
void df_samples_load(const struct df_samples *samples, int64_t first, int64_t count, double *values);

/* The smallest and the largest of finite values that mean something. */
struct df_samples_range {
    double black, white;
};

#define DF_SAMPLES_NO_RANGE ((struct df_samples_range){DBL_MAX, -DBL_MAX}) /* of no values yet */

/* Of those before and these. */
void df_samples_extend_range(const struct df_samples *samples, struct df_samples_range *range);
/* Of all that there were: 0 to 0 where there was none. */
struct df_samples_range df_samples_range_end(struct df_samples_range range);

/* An RGB image as samples, which borrow its pixels. */
struct df_samples df_samples_of_image(const struct df_image *image);

/* Makes an RGB image of the values. NaN becomes black, infinity what is beyond the range. -1 with the error
 * set: only unsigned values of at most 16 bits have a range of their own. */
int df_samples_to_image(const struct df_samples *samples, const struct df_image_reading *reading,
                        struct df_image *image);

/* Does the same with an RGB image of bytes, in place: chooses among its three bands, and maps their values.
 */
int df_image_apply_reading(const struct df_image_reading *reading, struct df_image *image);

#endif
