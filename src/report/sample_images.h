/* The few validation images that observers of a training run show, with what was predicted last. */
#ifndef DINOFT_REPORT_SAMPLE_IMAGES_H
#define DINOFT_REPORT_SAMPLE_IMAGES_H

#include "dinoft/training_observer.h"

struct sample_image {
    int64_t sample;                    /* index into the set */
    struct df_image image;             /* RGB, as in its file */
    struct df_image label, prediction; /* classes, of one size, which may be another than the image's */
};

struct sample_images {
    const struct df_dataset *set;               /* borrowed */
    struct sample_image items[DF_SAMPLES_SEEN]; /* [count] */
    int count;
};

/* Takes a prediction with maps in; the image is read the first time. -1 with the error set. */
int sample_images_add(struct sample_images *images, const struct df_prediction *prediction);

void sample_images_free(struct sample_images *images);

#endif
