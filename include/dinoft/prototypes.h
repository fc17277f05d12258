/* A decoder that nobody trained: of each class the mean of its patches' features in training images, the
 * prototype, to which a patch's cosine similarity is the class's logit. What training adds can be seen beside
 * it. */
#ifndef DINOFT_PROTOTYPES_H
#define DINOFT_PROTOTYPES_H

#include "dinoft/feed.h"

#include <signal.h>

/* Whose prototypes they are. */
struct df_prototype_source {
    const struct df_dataset *set; /* the training images; NULL: the decoder was trained */
    int64_t shots, seed;          /* that chose them (dinoft/shots.h); shots 0: they are all */
};

/* The model that is made of these options has a decoder for prototypes, in place of a checkpoint's. */
void df_prototypes_choose(struct df_segmenter_options *options);

/* Makes the decoder of such a model from all images of the feed, at the model's size. A patch's feature, the
 * last block's normalised token, divided by its norm, counts in the mean of each class as many times as the
 * patch has pixels of it; the mean is divided by its norm. Sums are in double, in the feed's order, so that
 * they do not depend on threads. A class without a pixel gets the logit -2, which is below any cosine.
 *
 * known [classes]: whether the class has a prototype. When *stop becomes non-zero it ends early, and the
 * decoder stays as it was. -1 with the error set. */
int df_prototypes_make(struct df_segmenter *segmenter, struct df_feed *feed,
                       const volatile sig_atomic_t *stop, bool *known);

#endif
