/* Scripts with which shells complete dinoft's command lines. Private to src/config. */
#ifndef DINOFT_CONFIG_COMPLETION_H
#define DINOFT_CONFIG_COMPLETION_H

#include "value_words.h"

#include <stdio.h>

/* The scripts, each in the file of its name. */
void df_completion_bash(FILE *stream);
void df_completion_zsh(FILE *stream);
void df_completion_fish(FILE *stream);

#endif
