/* How much memory training and evaluation take, and for what. */
#ifndef DINOFT_MEMORY_PLAN_H
#define DINOFT_MEMORY_PLAN_H

#include "dinoft/setup.h"

/* Prints the plans of a backbone with the decoder and LoRA that the flags ask for, or of a checkpoint's model
 * (NULL: none), and writes them to --json where it is given. Nothing of that size is allocated. -1 with the
 * error set. */
int memory_plan_print(const struct df_config *config, const struct df_vit_config *vit,
                      const struct df_checkpoint *checkpoint);

#endif
