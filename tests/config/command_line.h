/* A command line as words, parsed and completed. */
#ifndef TESTS_CONFIG_COMMAND_LINE_H
#define TESTS_CONFIG_COMMAND_LINE_H

#include "support/cmocka_all.h"

#include "dinoft/config.h"

#include <string.h>

#define PARSE_MAX_WORDS 16

/* The words behind the program's name up to NULL. argv must live as long as the inputs of config are looked
 * at. */
static inline enum df_parse_result parse_words(struct df_config *config, const char *argv[PARSE_MAX_WORDS],
                                               const char *const *words)
{
    int argc = 0;
    argv[argc++] = "dinoft";
    for (int i = 0; words[i]; i++) {
        assert_true(argc + 1 < PARSE_MAX_WORDS);
        argv[argc++] = words[i];
    }
    argv[argc] = NULL;
    const enum df_parse_result result = df_config_parse(argc, (char **)argv, config);
    return result == DF_PARSE_RUN && df_config_complete(config) != 0 ? DF_PARSE_WRONG : result;
}

#define PARSE(CONFIG, ARGV, ...) parse_words(CONFIG, ARGV, (const char *const[]){__VA_ARGS__, NULL})

#endif
