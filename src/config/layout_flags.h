/* Flags that say how a folder's images and masks lie, and which of them validate. */
#ifndef DINOFT_CONFIG_LAYOUT_FLAGS_H
#define DINOFT_CONFIG_LAYOUT_FLAGS_H

#include "dinoft/config.h"

/* -1 with the error set where they contradict each other, or the data set has no use for them. */
int check_layout(const struct df_config *config);

#endif
