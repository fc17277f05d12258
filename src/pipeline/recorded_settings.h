/* What a checkpoint says where no flag does. */
#ifndef DINOFT_RECORDED_SETTINGS_H
#define DINOFT_RECORDED_SETTINGS_H
#include "dinoft/checkpoint.h"
#include "dinoft/config.h"

/* Fills in what was not typed and the checkpoint (--lora_weights) knows, and says so in the log. For train:
 * LoRA (but where it is to be merged), its rank, the kind of decoder, whether images keep their ratio and
 * what the values of masks mean, with the names and colours of their classes; what was typed and is other
 * than before is said too. For eval and corrupt: the data set (a checkpoint that records none is taken for
 * what its number of classes stands for), whether images keep their ratio and what the values of its masks
 * mean. -1 with the error set where nothing tells the data set, or a flag is not for the one that was found.
 * Strings of config may then be the checkpoint's.
 */
int recorded_settings_take(struct df_config *config, const struct df_checkpoint *checkpoint);

#endif
