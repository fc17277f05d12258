/* A command line, one word a line. What is accepted is recorded, as a training does. */
#include "fuzz.h"

#include "dinoft/config.h"
#include "dinoft/json_writer.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64

static int split(char *text, char *argv[WORDS_MAX + 1])
{
    int argc = 0;

    argv[argc++] = "dinoft";
    for (char *next; text && argc < WORDS_MAX; text = next) {
        next = strchr(text, '\n');
        if (next)
            *next++ = '\0';
        argv[argc++] = text;
    }
    argv[argc] = NULL;
    return argc;
}

static void parse(char *text)
{
    static struct df_config config;
    char *argv[WORDS_MAX + 1], path[FUZZ_PATH_MAX];

    fuzz_forget_error();
    enum df_parse_result result = df_config_parse(split(text, argv), argv, &config);
    if (result == DF_PARSE_RUN && df_config_complete(&config) != 0)
        result = DF_PARSE_WRONG;
    if (result == DF_PARSE_WRONG)
        fuzz_check_error();
    if (result != DF_PARSE_RUN) {
        df_config_free(&config);
        return;
    }
    for (int i = 0; i < config.n_inputs; i++)
        fuzz_touch(config.inputs[i], strlen(config.inputs[i]));
    struct df_json json = {0};
    df_config_to_json(&json, &config);
    df_json_close(&json);
    fuzz_check(df_json_write(&json, fuzz_path("config.json", path)) == 0, "what is accepted can be recorded");
    df_config_free(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *no_output;
    char *text = malloc(size + 1);

    if (!no_output)
        no_output = freopen("/dev/null", "w", stdout); /* --help and its like */
    fuzz_check(text && no_output, "memory, and /dev/null");
    memcpy(text, data, size);
    text[size] = '\0';
    parse(size > 0 ? text : NULL);
    free(text);
    return 0;
}
