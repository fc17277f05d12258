/* How much arithmetic a model needs: the work that LoRA training asks for, not what an implementation spends.
 */
#ifndef DINOFT_FLOPS_H
#define DINOFT_FLOPS_H

#include "dinoft/segmenter.h"

/* Floating-point operations (dinoft/work.h) of one image's forward pass, or of its training step where the
 * options train: those of the passes that such a model makes, without what --recompute repeats. max_batch is
 * not read. Nothing of the model's size is allocated. -1 with the error set; *flops is then of no use. */
int df_segmenter_flops(const struct df_vit_config *config, const struct df_segmenter_options *options,
                       double *flops);

#endif
