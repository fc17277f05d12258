/* Reading the lists of `dinoft sweep`. Private to src/config. */
#ifndef DINOFT_CONFIG_SWEEP_AXES_H
#define DINOFT_CONFIG_SWEEP_AXES_H

#include "options.h"

#include "dinoft/sweep_axes.h"

/* What separates the values of an option in a list: a comma or, where a value may hold commas itself, a
 * semicolon. */
char sweep_axes_separator(const struct df_option_info *option);

/* Takes the text that was typed of an option, one value or a list, as one of config->axes, in the place of
 * what was there of it. second: the second of two numbers, or NULL. -1 with the error naming the flag. */
int sweep_axes_take(struct df_config *config, const struct df_option_info *option, const char *text,
                    const char *second);

void sweep_axes_free(struct df_axes *axes); /* NULL is allowed */

#endif
