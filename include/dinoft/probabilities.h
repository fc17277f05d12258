/* The probabilities of all classes in every pixel of one image, on the host: a row at a time, since all of
 * them together may not fit into memory. */
#ifndef DINOFT_PROBABILITIES_H
#define DINOFT_PROBABILITIES_H

#include "dinoft/segmenter.h"

struct df_probabilities {
    float *values;
    int64_t h, w;          /* of values [h, w, classes] */
    int64_t views;         /* values are the sums of so many softmaxes; 0: logits, which are enlarged */
    int64_t height, width; /* of the image */
    int64_t classes;
};

/* Of the logits of image i of the model's batch, enlarged to height x width. -1 with the error set. */
int df_probabilities_of_logits(struct df_segmenter *segmenter, int64_t i, int64_t height, int64_t width,
                               struct df_probabilities *probabilities);
/* Of the sum of softmaxes, device float32 [height, width, classes]. -1 with the error set. */
int df_probabilities_of_sum(struct df_backend *backend, const float *sum, int64_t height, int64_t width,
                            int64_t classes, int64_t views, struct df_probabilities *probabilities);
void df_probabilities_free(struct df_probabilities *probabilities);

/* row [width, classes] = the probabilities in row y of the image. */
void df_probabilities_row(const struct df_probabilities *probabilities, int64_t y, float *row);

#endif
