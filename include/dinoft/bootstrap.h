/* How far a mean IoU depends on which images happened to be there: the bootstrap (B. Efron, 1979) over
 * images. Each resample draws as many images as there are, with replacement, and its mIoU is that of one
 * confusion matrix over them, of the classes that it has. */
#ifndef DINOFT_BOOTSTRAP_H
#define DINOFT_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

/* What an image adds to a class that its label or its prediction has. */
struct df_bootstrap_count {
    int64_t both, united; /* pixels: of label and prediction, and of one of them */
    int class_index;
};

/* n_classes is the caller's; zero otherwise before the first image. */
struct df_bootstrap {
    int n_classes;
    struct df_bootstrap_count *counts; /* of one image after the other */
    size_t n_counts, capacity;
    size_t *ends; /* [n_images]: behind each image's last count */
    size_t n_images, images_capacity;
};

void df_bootstrap_free(struct df_bootstrap *bootstrap);

/* Adds an image's confusion matrix [n_classes + 1, n_classes]. -1 when out of memory. */
int df_bootstrap_add(struct df_bootstrap *bootstrap, const int64_t *confusion);

/* The middle 95 % of the resamples' mIoU, between which linearly interpolated ranks lie; NaN of fewer than
 * two images, and where no resample has a pixel that counts. */
struct df_interval {
    double low, high;
    int64_t resamples, images, seed;
};

/* The same seed gives the same interval. -1 when out of memory. */
int df_bootstrap_interval(const struct df_bootstrap *bootstrap, int64_t resamples, int64_t seed,
                          struct df_interval *interval);

#endif
