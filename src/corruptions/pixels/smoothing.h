/* Random planes smoothed by a Gaussian as scipy.ndimage.gaussian_filter does it, in float32: where only
 * chance decides about a value its last bits do not matter, and float32 is twice as fast as filters.h. */
#ifndef DINOFT_CORRUPTIONS_SMOOTHING_H
#define DINOFT_CORRUPTIONS_SMOOTHING_H

#include "padded_image.h"

#include "dinoft/rng.h"

struct smoothing {
    double sigma_x, sigma_y;
    double truncate; /* the Gaussian ends at int(truncate * sigma + 0.5) */
};

/* How far the Gaussian reaches. */
int smoothing_radius(double sigma, double truncate);

/* Planes are [h, w], allocated by the caller; result is not source. -1 with the error set (out of memory). */
int smooth_by_filter(const struct float_image *source, const struct smoothing *smoothing,
                     enum filter_border border, struct float_image *result);

/* The same with BORDER_REFLECT, by the cosines that get through the Gaussian: with mirrored borders they are
 * what a symmetric filter only scales (its eigenvectors), and a Gaussian that is wide for the image leaves
 * but a few. Off by less than 1e-3 of the largest value. */
int smooth_by_cosines(const struct float_image *source, const struct smoothing *smoothing,
                      struct float_image *result);

/* How many cosines that takes along a side. */
int64_t smoothing_cosines(int64_t size, double sigma);

/* Uniform draws from -size..size, smoothed with BORDER_REFLECT in the cheaper way. */
int smooth_noise(struct df_rng *rng, const struct smoothing *smoothing, double size,
                 struct float_image *plane);

#endif
