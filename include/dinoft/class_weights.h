/* How much the pixels of each class weigh in the training loss, as --class_weights says. */
#ifndef DINOFT_CLASS_WEIGHTS_H
#define DINOFT_CLASS_WEIGHTS_H

#include "dinoft/dataset.h"
#include "dinoft/training_loss.h"

/* Whether the text asks for classes' shares of the training masks, which all have to be counted then. */
bool df_class_weights_need_shares(const char *text);

/* The weights that "auto" stands for, 1 / ln(1.02 + S) of each class's share S of the labelled pixels that
 * the set's census has counted, of which there is one at least. weights [set->n_classes]. */
void df_class_weights_auto(const struct df_dataset *set, float *weights);

/* Fills in the loss's weights: none, or what the text says for the classes of the set, whose census has to
 * hold all masks where shares are needed. Logs them. -1 with the error set: no such file, a weight that is
 * none, too many or too few, an unknown name (with the nearest one), none above 0. */
int df_class_weights_choose(const char *text, const struct df_dataset *set, struct df_loss_options *loss);

#endif
