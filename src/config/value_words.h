/* What may stand for the value of a flag, or for an argument of a command: for completions and the manual. */
#ifndef DINOFT_CONFIG_VALUE_WORDS_H
#define DINOFT_CONFIG_VALUE_WORDS_H

#include "general.h"

#include <stdio.h>

#define DF_VALUE_WORDS_MAX 64

enum df_value_source {
    DF_VALUE_NONE, /* there is no value */
    DF_VALUE_FREE, /* numbers and names of one's own */
    DF_VALUE_WORD, /* one of `words` */
    DF_VALUE_LIST, /* some of `words`, with commas between them */
    DF_VALUE_FILE,
    DF_VALUE_FOLDER
};

struct df_value_words {
    enum df_value_source source;
    int count;
    const char *words[DF_VALUE_WORDS_MAX];
};

struct df_value_words df_option_words(const struct df_option_info *option);
struct df_value_words df_general_words(enum df_general flag);

/* Of the arguments without a flag. */
struct df_value_words df_input_words(enum df_command command);

/* The names of all commands. */
struct df_value_words df_command_words(void);

/* How many words the option's value is where it is not attached with '='. */
int df_option_value_count(const struct df_option_info *option);

/* Writes the words with spaces between them. */
void df_print_words(FILE *stream, const struct df_value_words *words);

#endif
