/* What a training minimises, where it is more than plain cross-entropy. What is measured is always plain. */
#ifndef DINOFT_TRAINING_LOSS_H
#define DINOFT_TRAINING_LOSS_H

#include "dinoft/choice.h"
#include "dinoft/labels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_LOSSES(X)                                                                                         \
    X(DF_LOSS_CE, "ce")                                                                                      \
    X(DF_LOSS_FOCAL, "focal")                                                                                \
    X(DF_LOSS_OHEM, "ohem")                                                                                  \
    X(DF_LOSS_DICE, "dice")                                                                                  \
    X(DF_LOSS_CE_DICE, "ce+dice") X(DF_LOSS_LOVASZ, "lovasz") X(DF_LOSS_CE_LOVASZ, "ce+lovasz")
enum df_loss_kind { DF_LOSSES(DF_CHOICE_ID) };

struct df_loss_options {
    enum df_loss_kind kind;
    double threshold; /* OHEM: pixels count whose label is predicted with less, */
    int64_t least;    /* and so many of each image */
    double gamma;     /* of the focal loss */
    double region;    /* a factor of the second part, where there are two */
    double smoothing; /* of labels, 0 to below 1 */
    bool weighted;    /* by classes; else each weighs 1 */
    float class_weights[DF_MAX_CLASSES];
};

/* Whether its pixels have no more than plain cross-entropy: all of them, or those that OHEM chooses. */
static inline bool df_loss_is_cross_entropy(const struct df_loss_options *loss)
{
    return (loss->kind == DF_LOSS_CE || loss->kind == DF_LOSS_OHEM) && !loss->weighted &&
           loss->smoothing == 0.0;
}

static inline bool df_loss_is_plain(const struct df_loss_options *loss)
{
    return loss->kind == DF_LOSS_CE && df_loss_is_cross_entropy(loss);
}

/* What it has that is no sum over pixels, and whether it has something that is. */
static inline bool df_loss_has_dice(enum df_loss_kind kind)
{
    return kind == DF_LOSS_DICE || kind == DF_LOSS_CE_DICE;
}

static inline bool df_loss_has_lovasz(enum df_loss_kind kind)
{
    return kind == DF_LOSS_LOVASZ || kind == DF_LOSS_CE_LOVASZ;
}

static inline bool df_loss_has_pixels(enum df_loss_kind kind)
{
    return kind != DF_LOSS_DICE && kind != DF_LOSS_LOVASZ;
}

static inline bool df_loss_has_both(enum df_loss_kind kind)
{
    return kind == DF_LOSS_CE_DICE || kind == DF_LOSS_CE_LOVASZ;
}

/* "ce, label smoothing 0.1, class weights 0123456789abcdef" (a digest): losses of so many classes are the
 * same where this is. */
#define DF_LOSS_TEXT 128
void df_loss_describe(const struct df_loss_options *loss, size_t classes, char text[DF_LOSS_TEXT]);

#endif
