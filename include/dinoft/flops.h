/* How much arithmetic a model needs: the work that LoRA training asks for, not what an implementation spends.
 */
#ifndef DINOFT_FLOPS_H
#define DINOFT_FLOPS_H

#include "dinoft/segmenter.h"

/* Floating-point operations of one image's forward pass, or of its training step: a multiply-add counts as
 * two; matrix products, convolutions and attention count, element-wise passes do not. In training, frozen
 * layers need gradients of their inputs only, nothing is needed below the first block's q and v, and nothing
 * of the backbone without LoRA. A model whose features are given has a decoder alone. */
double df_segmenter_flops(const struct df_segmenter *segmenter, bool training);

#endif
