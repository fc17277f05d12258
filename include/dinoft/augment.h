/* How training images are changed before the model sees them, by a loader's threads. Everything that is drawn
 * comes from a stream of random numbers named by seed, epoch and sample: threads, the order of images and the
 * batch's size change nothing. */
#ifndef DINOFT_AUGMENT_H
#define DINOFT_AUGMENT_H

#include "dinoft/choice.h"
#include "dinoft/image.h"
#include "dinoft/rng.h"

#include <stdbool.h>

#define DF_AUGMENTATIONS(X)                                                                                  \
    X(DF_AUGMENT_NONE, "none")                                                                               \
    X(DF_AUGMENT_FLIP, "flip") X(DF_AUGMENT_STANDARD, "standard") X(DF_AUGMENT_STRONG, "strong")
enum df_augmentation { DF_AUGMENTATIONS(DF_CHOICE_ID) };

struct df_augment_options {
    enum df_augmentation kind;
    int64_t views; /* epoch e shows what epoch e modulo views did, so that there are so many views of an
                      image; 0: each epoch has new ones */
    /* standard, strong */
    double scale[2];         /* an image's factor is drawn between them; 1: its shorter side has the smaller
                                number of the model's size */
    bool crop_class_balance; /* a crop is drawn around a pixel of a class, each class that an image has as
                                often as the others */
    bool keeps_ratio; /* of none and flip too, as if the scale were 1: of none the crop is the centre */
};

/* Where an image and its labels go, at the model's size. */
struct df_tile {
    int64_t width, height;
    uint8_t *pixels; /* [height, width, 3] RGB */
    uint8_t *labels; /* [height, width] */
};

/* The stream of a sample's draws. */
void df_augment_stream(const struct df_augment_options *options, struct df_rng *rng, uint64_t seed,
                       int64_t epoch, int64_t sample);

/* Whether images are other than resized to the tile as they are. */
bool df_augment_changes(const struct df_augment_options *options);

/* Makes an image and its mask (of one size) the tile: resized, cut out, mirrored and recoloured by what is
 * drawn; without CutMix, which takes two samples. Where the image does not reach, the pixels have ImageNet's
 * mean colour and the labels are DF_IGNORE_LABEL. -1 with the error set. */
int df_augment_tile(const struct df_augment_options *options, struct df_rng *rng,
                    const struct df_image *image, const struct df_image *mask, const struct df_tile *tile);

/* What is done, for people and for a run that goes on: "standard, scale 0.5 to 2, resize short, 4 views".
 */
#define DF_AUGMENT_TEXT_MAX 128
void df_augment_text(const struct df_augment_options *options, char text[DF_AUGMENT_TEXT_MAX]);

#endif
