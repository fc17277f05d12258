/* From an image of any size to its classes, as papers evaluate: the image stretched or its ratio
 * kept, a sliding window, and averages over scales and mirror images.
 *
 * A view is the image at one scale, as it is or mirrored. The model sees a view whole, or in windows whose
 * logits are averaged where they overlap. Views' softmaxes, at the size that is asked for, are averaged, as
 * mmsegmentation does. */
#ifndef DINOFT_INFERENCE_H
#define DINOFT_INFERENCE_H

#include "dinoft/segmenter.h"

#include "dinoft/image.h"
#include "dinoft/probabilities.h"

#define DF_INFERENCE_MAX_SCALES 16

struct df_inference_options {
    bool keep_ratio; /* the shorter side becomes the smaller of height and width, the longer what belongs to
                        it */
    bool own_size;   /* images keep their size, but for sides without windows, which become whole patches */
    int64_t height, width; /* multiples of the patch; where own_size is not */
    int64_t crop, stride;  /* of a sliding window, crop a multiple of the patch; 0: the image is seen whole */
    int n_scales;          /* at least 1 */
    double scales[DF_INFERENCE_MAX_SCALES];
    bool mirror; /* each scale also mirrored */
};

struct df_inference;

/* Whether each image, stretched, goes through the model once and as a whole: with others in a batch then, and
 * without an inference. */
bool df_inference_is_plain(const struct df_inference_options *options);

/* Views of the options. */
int64_t df_inference_views(const struct df_inference_options *options);

/* The segmenter, which does not train, changes its size as it is needed, and must outlive the result. NULL
 * with the error set. */
struct df_inference *df_inference_open(struct df_segmenter *segmenter,
                                       const struct df_inference_options *options);
void df_inference_close(struct df_inference *inference); /* NULL is allowed */

/* The size that an image is resized to at scale 1. */
void df_inference_size(const struct df_inference *inference, const struct df_image *image, int64_t *height,
                       int64_t *width);

/* What is wanted of the image (RGB) at height x width. With labels [height, width] (host; NULL: none, and no
 * comparison) it is compared, the loss and the confidence being those of the views' mean probability. -1 with
 * the error set. */
int df_inference_predict(struct df_inference *inference, const struct df_image *image, int64_t height,
                         int64_t width, const uint8_t *labels, const struct df_wanted *wanted);

/* The probabilities of the classes that were predicted last, to the host. -1 with the error set. */
int df_inference_probabilities(struct df_inference *inference, struct df_probabilities *probabilities);

#endif
