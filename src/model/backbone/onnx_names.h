/* What an ONNX export of Hugging Face's Dinov2 does to the position embedding. */
#ifndef BACKBONE_ONNX_NAMES_H
#define BACKBONE_ONNX_NAMES_H

#include "dinoft/state.h"

/* The exporter cuts position_embeddings into two constants without a name, the class token's [1, 1, D] and
 * the patches' [1, G * G, D]. Looks for them in `source` by their shapes and appends pos_embed [1, 1 + G * G,
 * D] to `state`, which has cls_token. Does nothing where they are not there; -1 with the error set if more
 * than one fits. */
int df_onnx_join_pos_embed(struct df_state *state, const struct df_state *source);

#endif
