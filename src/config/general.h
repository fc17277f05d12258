/* What is asked of the program rather than of a command: --version, help, the manual, completions. */
#ifndef DINOFT_CONFIG_GENERAL_H
#define DINOFT_CONFIG_GENERAL_H

#include "option_text.h"

#define DF_HELP_SUMMARY "list the flags of a command, or the commands" /* of the word help */

enum df_general {
    DF_GENERAL_HELP,
    DF_GENERAL_MAN,
    DF_GENERAL_MARKDOWN,
    DF_GENERAL_COMPLETION,
    DF_GENERAL_VERSION,
    DF_GENERAL_COUNT
};

struct df_general_flag {
    const char *name;     /* without the dashes */
    const char *argument; /* "[COMMAND]"; NULL: none */
    const char *help;
};

extern const struct df_general_flag df_general_flags[DF_GENERAL_COUNT];

/* What --completion takes; ends with NULL. */
extern const char *const df_shells[];

/* "--help_man [COMMAND]" */
void df_general_flag_text(const struct df_general_flag *flag, char text[DF_OPTION_TEXT_MAX]);

/* -h, --help and what argparse would take for it; no option begins with h. */
bool df_is_help(const char *word);

/* Prints what the first words ask for. DF_PARSE_RUN if they ask for a command; DF_PARSE_WRONG with the error
 * set. */
enum df_parse_result df_answer_general(int argc, char **argv);

#endif
