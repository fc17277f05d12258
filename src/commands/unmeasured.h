/* Training without validation images: nothing is measured, and no checkpoint is the best. */
#ifndef DINOFT_COMMANDS_UNMEASURED_H
#define DINOFT_COMMANDS_UNMEASURED_H

#include "dinoft/config.h"

/* Whether the flags make sense then, when all of them are known. -1 with the error naming one that does not.
 */
int unmeasured_check(const struct df_config *config);

/* A warning that says so. */
void unmeasured_warn(const struct df_config *config);

#endif
