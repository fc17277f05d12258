/* Scripts with which shells complete dinoft's command lines. Private to src/config. */
#ifndef DINOFT_CONFIG_COMPLETION_H
#define DINOFT_CONFIG_COMPLETION_H

#include "value_words.h"

#include <stdio.h>

extern const char *const df_shells[]; /* ends with NULL */

/* The scripts, each in the file of its name. */
void df_completion_bash(FILE *stream);
void df_completion_zsh(FILE *stream);
void df_completion_fish(FILE *stream);

/* Writes the words with spaces between them. */
void df_print_words(FILE *stream, const struct df_value_words *words);

#endif
