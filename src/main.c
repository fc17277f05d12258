#include "commands/commands.h"

#include "dinoft/error.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef int command_function(const struct df_config *config);

static command_function *const commands[DF_COMMAND_COUNT] = {
    [DF_COMMAND_TRAIN] = command_train,         [DF_COMMAND_EVAL] = command_eval,
    [DF_COMMAND_PREDICT] = command_predict,     [DF_COMMAND_FEATURES] = command_features,
    [DF_COMMAND_CONVERT] = command_convert,     [DF_COMMAND_INFO] = command_info,
    [DF_COMMAND_DEMO_DATA] = command_demo_data,
};

/* The command's exit status, after its error was printed. What did not reach standard output is an error,
 * too. */
static int report(int status)
{
    if (fflush(stdout) != 0 && status == 0) {
        df_error_set("cannot write to standard output: %s", strerror(errno));
        status = 1;
    }
    if (status == 1 || status == 2)
        fprintf(stderr, "dinoft: error: %s\n", df_error_text());
    return status;
}

int main(int argc, char **argv)
{
    struct df_config config;

    signal(SIGXFSZ,
           SIG_IGN); /* a file that may not grow is then an error of the write, which says what was lost */
    switch (df_config_parse(argc, argv, &config)) {
    case DF_PARSE_DONE:
        return report(0);
    case DF_PARSE_WRONG:
        return report(2);
    case DF_PARSE_RUN:
        break;
    }
    return report(commands[config.command](&config));
}
