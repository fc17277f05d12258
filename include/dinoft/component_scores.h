/* From the scores of principal components to colours and foreground, as the notebooks of dinov2-finetune do
 * it, but over all images together. */
#ifndef DINOFT_COMPONENT_SCORES_H
#define DINOFT_COMPONENT_SCORES_H

#include "dinoft/pca.h"

#include <stdbool.h>

/* Scales each column of scores float32 [count, DF_PCA_COMPONENTS] to 0..1 by its least and its largest value;
 * a column of one value becomes 0. Rows whose keep is 0 do not count and become 0; keep NULL: all count. */
void df_scores_scale(float *scores, int64_t count, const uint8_t *keep);

/* foreground [images, h, w] = 1 where the first of the scaled scores [images, h, w, DF_PCA_COMPONENTS] is on
 * one side of 0.5, else 0. An axis has no direction, so the side must be chosen: background is the one that
 * has the greater share of the patches at the images' borders than within; where neither has, the high one,
 * as in the notebooks. Returns whether the foreground is the high side. */
bool df_scores_foreground(const float *scores, int64_t images, int64_t h, int64_t w, uint8_t *foreground);

#endif
