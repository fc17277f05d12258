/* A frozen backbone alone: a model without a decoder, from pixels to features. */
#ifndef DINOFT_EXTRACTOR_H
#define DINOFT_EXTRACTOR_H

#include "dinoft/model_parts.h"

/* Of the setup's backbone, image size and normalisation, the LoRA of its checkpoint (if there is one) folded
 * into the weights. Its features: of n_features blocks, and the network's last one's class token if that is
 * wanted. Only the setup's backend must live as long. NULL with the error set. */
struct df_segmenter *df_extractor_open(const struct df_setup *setup, int64_t max_batch, int n_features,
                                       enum df_layers layers, bool class_tokens);

#endif
