/* A run's NAME_config.json, read by --config alone and beside flags. What is accepted is recorded, and the
 * record is accepted with the same values. */
#include "fuzz.h"

#include "dinoft/config.h"
#include "dinoft/json_writer.h"

#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 8

static void record(const struct df_config *config, const char *path)
{
    struct df_json json = {0};

    df_config_to_json(&json, config);
    df_json_close(&json);
    fuzz_check(df_json_write(&json, path) == 0, "what is accepted can be recorded");
}

/* Whether it is accepted. */
static bool parse(struct df_config *config, const char *const *flags, const char *path)
{
    char *argv[WORDS_MAX + 1] = {(char *)"dinoft", (char *)"train", (char *)"--config", (char *)path};
    int argc = 4;

    for (; *flags; flags++)
        argv[argc++] = (char *)*flags;
    fuzz_forget_error();
    return df_config_parse(argc, argv, config) == DF_PARSE_RUN && df_config_complete(config) == 0;
}

static void compare(const char *first, const char *second)
{
    FILE *a = fopen(first, "r"), *b = fopen(second, "r");
    int c = EOF, d = EOF;

    fuzz_check(a && b, "both are there");
    do {
        c = getc(a);
        d = getc(b);
    } while (c == d && c != EOF);
    fuzz_check(c == d, "a record that is read gives the same record");
    fclose(a);
    fclose(b);
}

static void read_it(const char *const *flags)
{
    static struct df_config config, again;
    static const char *const none[] = {NULL};
    char path[FUZZ_PATH_MAX], first[FUZZ_PATH_MAX], second[FUZZ_PATH_MAX];

    if (!parse(&config, flags, fuzz_path("config.json", path))) {
        fuzz_check_error();
        df_config_free(&config);
        return;
    }
    config.config = NULL;
    config.exp_name = NULL; /* a reference recipe's */
    record(&config, fuzz_path("first.json", first));
    df_config_free(&config);
    fuzz_check(parse(&again, none, first), "a record is accepted");
    again.config = NULL;
    again.exp_name = NULL;
    record(&again, fuzz_path("second.json", second));
    df_config_free(&again);
    compare(first, second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const none[] = {NULL}, *const some[] = {"--recipe", "reference", "--weights", "b.pth",
                                                               NULL};
    static FILE *no_output;
    char path[FUZZ_PATH_MAX];

    if (!no_output)
        no_output = freopen("/dev/null", "w", stdout);
    fuzz_check(no_output != NULL, "/dev/null");
    fuzz_write(fuzz_path("config.json", path), data, size);
    read_it(none);
    read_it(some);
    return 0;
}
