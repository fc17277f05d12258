/* A backbone over the images of the command line, one at a time: what an image's features are does not depend
 * on its neighbours in a batch. */
#ifndef DINOFT_IMAGE_FEATURES_H
#define DINOFT_IMAGE_FEATURES_H

#include "dinoft/extractor.h"

struct image_features {
    struct df_setup setup;
    struct df_segmenter *extractor;
    int64_t grid_h, grid_w, patches; /* of an image */
    uint8_t *pixels;                 /* [H, W, 3] of the image at hand, at the network's input size */
};

/* The backbone that the flags name, with a checkpoint's LoRA folded into it, over images of the setup's size.
 * setup is open already. -1 with the error set; close it in either case. */
int image_features_open(struct image_features *features, int n_features, bool class_tokens);
/* Closes the setup too. */
void image_features_close(struct image_features *features);

/* Frees the backbone's memory before that, once the last image has been run. */
void image_features_release(struct image_features *features);

/* Reads the image and runs the backbone over it. The image's size at which it was read goes to *height and
 * *width (NULL: not wanted). */
int image_features_run(struct image_features *features, const char *path,
                       const struct df_image_reading *reading, int64_t *height, int64_t *width);

/* The same of an image that is there. */
int image_features_run_image(struct image_features *features, const struct df_image *image);

/* After a run, to the host: [P, D] of the layer-th of the n_features last blocks; [D] of the class token. */
int image_features_patches(const struct image_features *features, int layer, float *values);
int image_features_class_token(const struct image_features *features, float *values);

#endif
