/* Hugging Face's config.json. Private to src/model/backbone. */
#ifndef BACKBONE_HUGGINGFACE_CONFIG_H
#define BACKBONE_HUGGINGFACE_CONFIG_H

#include "dinoft/vit_config.h"

/* Reads config.json in the folder of `weights` (a file with Hugging Face's names, or the folder itself), if
 * there is one, and compares it with what will be computed. official: the weights under official names,
 * buffers added.
 *
 * -1 with the error set where features would be other than transformers' (the key, what it says, what is
 * computed here), where the file is damaged, and where it is of another model but the weights have the name
 * that transformers gives them, so that the two must belong together. A config.json that is plainly of
 * another model, or of another kind, is not used, which a log line says. */
int huggingface_config_check(const char *weights, const struct df_state *official,
                             const struct df_vit_config *vit);

/* Whether a file has a name that transformers gives to weights, or is a folder: then what lies beside it was
 * written with it. */
bool huggingface_named(const char *weights);

#endif
