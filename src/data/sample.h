/* A sample of a data set as a loader hands it out. */
#ifndef DINOFT_DATA_SAMPLE_H
#define DINOFT_DATA_SAMPLE_H

#include "dinoft/loader.h"

/* Which one: what is drawn for it depends on the epoch. */
struct df_sample_place {
    const struct df_dataset *dataset;
    int64_t epoch, sample;
};

int df_sample_read(const struct df_loader_options *options, const struct df_dataset *dataset, int64_t sample,
                   struct df_image *image, struct df_image *mask);

/* Makes an image and its mask, which were read, the tile that the model sees, by what options->augment says.
 * With CutMix a second sample is read and a part of its tile laid over this one. -1 with the error set. */
int df_sample_tile(const struct df_loader_options *options, const struct df_sample_place *place,
                   const struct df_image *image, const struct df_image *mask, const struct df_tile *tile);

#endif
