/* What there is to know of one image's prediction beside its labels. */
#ifndef DINOFT_COMPARISON_H
#define DINOFT_COMPARISON_H

#include "dinoft/backend.h"
#include "dinoft/labels.h"

/* A prediction compared with labels. It stays on the device until the caller, whose memory it is, downloads
 * it: those of a batch at once. */
struct df_comparison {
    struct df_loss_sum loss;                                    /* of the pixels whose label is not 255 */
    struct df_calibration_bin calibration[DF_CALIBRATION_BINS]; /* only of a detailed comparison */
    int64_t confusion[]; /* [2, C + 1, C]: pixels of each label and prediction, as dinoft/operation_list.h has
                            it; then the same of sigmoids' predictions; then, only of a detailed comparison,
                            the boundaries' overlap [C, 3] */
};

/* The second of its matrices: of the arg max of the logits' float32 sigmoids (struct df_upsample_loss). Where
 * views' probabilities are averaged there are no such logits, and both are of the same prediction. */
static inline int64_t *df_comparison_of_sigmoids(struct df_comparison *comparison, int64_t classes)
{
    return comparison->confusion + df_confusion_count(classes);
}

static inline int64_t *df_comparison_boundaries(struct df_comparison *comparison, int64_t classes)
{
    return comparison->confusion + 2 * df_confusion_count(classes);
}

/* A multiple of the alignment: comparisons may follow each other. */
static inline size_t df_comparison_bytes(int64_t classes)
{
    return sizeof(struct df_comparison) +
           (2 * df_confusion_count(classes) + 3 * (size_t)classes) * sizeof(int64_t);
}

/* What is wanted of an image's prediction; NULL: not that. */
struct df_wanted {
    uint8_t *classes;                 /* host [H, W] */
    float *confidence;                /* host [H, W]: the probability of that class, by the softmax */
    struct df_comparison *comparison; /* device */
    bool detailed;                    /* the comparison has calibration and boundaries too */
};

/* How far from its edge a class' boundary reaches in an image of that size: 2 % of its diagonal, at least a
 * pixel, as in the reference code of B. Cheng et al., "Boundary IoU" (CVPR 2021). */
int64_t df_boundary_reach(int64_t height, int64_t width);

/* Adds what makes a comparison detailed. confidence float32, prediction and labels uint8 [height, width], and
 * the comparison: device. -1 with the error set. */
int df_comparison_add_details(struct df_backend *backend, const float *confidence, const uint8_t *prediction,
                              const uint8_t *labels, int64_t height, int64_t width, int64_t classes,
                              struct df_comparison *comparison);

#endif
