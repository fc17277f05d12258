/* What may stand between the backbone's maps and a 1x1 convolution over them, as if they were concatenated:
 * Dropout2d, then BatchNorm; or each patch's norm, of each map by itself, where nothing is trained. */
#ifndef DINOFT_DECODER_INPUT_H
#define DINOFT_DECODER_INPUT_H

#include "decoder.h"

/* Of the decoder's n = ops->inputs maps, each [batch * positions, dim]. */
struct df_decoder_input {
    int norm;           /* index of BatchNorm's first parameter */
    float *factors;     /* device [n, max_batch, dim]: of Dropout2d, 0 or 1 / (1 - P) */
    float *drawn;       /* host: the same; NULL without dropout, and where nothing is trained */
    float *mean, *rstd; /* device [n * dim]: of the batch */
    float *dropped[DF_VIT_MAX_FEATURES], *normed[DF_VIT_MAX_FEATURES]; /* device; what is not needed: NULL */
    float *dmap; /* scratch: a normed map's gradient, where the map wants none */
};

/* Appends BatchNorm's parameters, if it has one, under PREFIXnorm. -1 with the error set. */
int df_decoder_input_open(struct df_decoder_input *input, struct df_decoder *decoder, const char *prefix);
void df_decoder_input_close(struct df_decoder_input *input);
void df_decoder_input_plan(struct df_decoder_input *input, const struct df_decoder *decoder,
                           struct df_arena *arena);

/* Dropout2d's factors for a training pass of so many images: n * dim numbers of rng for each. */
int df_decoder_input_draw(struct df_decoder_input *input, const struct df_decoder *decoder, int64_t batch,
                          struct df_rng *rng);

/* maps[i]: where map i is then. */
int df_decoder_input_forward(struct df_decoder_input *input, const struct df_decoder *decoder,
                             float *const features[], int64_t batch, bool training,
                             float *maps[DF_VIT_MAX_FEATURES]);

/* After a training forward pass: where map i is; where the gradient of map i is wanted to be (NULL: nowhere),
 * dfeature being where that of the feature is; and then from the one to the other, with BatchNorm's
 * gradients. */
float *df_decoder_input_map(const struct df_decoder_input *input, const struct df_decoder *decoder, int i,
                            float *feature);
float *df_decoder_input_gradient(const struct df_decoder_input *input, float *dfeature);
int df_decoder_input_backward(const struct df_decoder_input *input, const struct df_decoder *decoder, int i,
                              const float *feature, int64_t batch, float *dmap);

#endif
