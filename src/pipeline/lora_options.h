/* LoRA as the flags say it, and as a checkpoint holds it. */
#ifndef DINOFT_LORA_OPTIONS_H
#define DINOFT_LORA_OPTIONS_H

#include "dinoft/config.h"
#include "dinoft/model_parts.h"

/* alpha / r, or by the square root of r. */
double lora_options_scale(const struct df_config *config);

/* What the flags say of new LoRA, or of what goes on. -1 with the error set. */
int lora_options_typed(struct df_segmenter_options *options, const struct df_config *config,
                       const struct df_vit_config *vit);

/* What a checkpoint with LoRA says. */
void lora_options_recorded(struct df_segmenter_options *options, const struct df_checkpoint *checkpoint);

/* -1 with the error set where what is typed contradicts what the checkpoint holds. */
int lora_options_check(const struct df_config *config, const struct df_checkpoint *checkpoint,
                       const struct df_vit_config *vit);

#endif
