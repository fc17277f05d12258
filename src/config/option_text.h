/* What --help, the README's table and the manual say alike of an option or a command. */
#ifndef DINOFT_CONFIG_OPTION_TEXT_H
#define DINOFT_CONFIG_OPTION_TEXT_H

#include "options.h"

#include <stdio.h>

#define DF_OPTION_TEXT_MAX 2048

/* "--size small|base|large": the flag with its value; `bar` sets apart what it may be. */
void df_option_flag_text(const struct df_option_info *option, const char *bar, char text[DF_OPTION_TEXT_MAX]);

/* The default as it would be typed; "" for none. */
void df_option_default_text(const struct df_option_info *option, char text[DF_OPTION_TEXT_MAX]);

/* The help, with "(required)" or "(default: 12)" behind it. */
void df_option_help_text(const struct df_option_info *option, enum df_command command,
                         char text[DF_OPTION_TEXT_MAX]);

/* The option that follows `before` (-1: the first one) among those of the group that the command takes, or
 * -1. */
int df_option_next(enum df_command command, enum df_option_group group, int before);

/* "dinoft features IMAGE... --output FILE [FLAGS]" */
void df_command_usage(enum df_command command, char text[DF_OPTION_TEXT_MAX]);

/* How much of a shell's command line fits into so many columns: it may be broken before flags only. */
size_t df_line_break(const char *line, size_t columns);

#endif
