/* Hugging Face's preprocessor_config.json. Private to src/model/backbone. */
#ifndef BACKBONE_HUGGINGFACE_PREPROCESSOR_H
#define BACKBONE_HUGGINGFACE_PREPROCESSOR_H

#include "dinoft/normalize.h"

/* Reads what preprocessor_config.json in the folder of `weights` (or in that folder itself) says of colours.
 * *says: whether there is one, belongs to the weights, which transformers then gives a name such as
 * model.safetensors, and speaks of colours from 0 to 1. -1 with the error set for a damaged file. */
int huggingface_preprocessor_read(const char *weights, struct df_normalize *normalize, bool *says);

#endif
