/* A backbone over the images of the command line, one at a time: what an image's features are does not depend
 * on its neighbours in a batch. */
#ifndef DINOFT_IMAGE_FEATURES_H
#define DINOFT_IMAGE_FEATURES_H

#include "each_input.h"

#include "dinoft/extractor.h"

struct image_features {
    struct df_setup setup;
    struct df_segmenter *extractor;
    int64_t grid_h, grid_w, patches; /* of an image */
};

/* The backbone that the flags name, with a checkpoint's LoRA folded into it, over images of the setup's size.
 * setup is open already. -1 with the error set; close it in either case. */
int image_features_open(struct image_features *features, int n_features, bool class_tokens);
/* Closes the setup too. */
void image_features_close(struct image_features *features);

/* Frees the backbone's memory before that, once the last image has been run. */
void image_features_release(struct image_features *features);

/* Does the work for each image of the list, resized to the network's input size (each_input.h). */
int image_features_each(struct image_features *features, const struct df_config *config,
                        struct inputs *inputs, each_input_work *work, void *context);

/* Runs the backbone over an image of that size, pixels [H, W, 3]. */
int image_features_run(struct image_features *features, const uint8_t *pixels);

/* After a run, to the host: [P, D] of the layer-th of the n_features last blocks; [D] of the class token. */
int image_features_patches(const struct image_features *features, int layer, float *values);
int image_features_class_token(const struct image_features *features, float *values);

#endif
