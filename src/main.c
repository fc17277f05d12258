#include "commands/commands.h"

#include "dinoft/error.h"

#include <stdio.h>

typedef int command_function(const struct df_config *config);

static command_function *const commands[DF_COMMAND_COUNT] = {
    [DF_COMMAND_TRAIN] = command_train,         [DF_COMMAND_EVAL] = command_eval,
    [DF_COMMAND_PREDICT] = command_predict,     [DF_COMMAND_FEATURES] = command_features,
    [DF_COMMAND_CONVERT] = command_convert,     [DF_COMMAND_INFO] = command_info,
    [DF_COMMAND_DEMO_DATA] = command_demo_data,
};

static int report(int status)
{
    if (status == 1 || status == 2)
        fprintf(stderr, "dinoft: error: %s\n", df_error_text());
    return status;
}

int main(int argc, char **argv)
{
    struct df_config config;

    switch (df_config_parse(argc, argv, &config)) {
    case DF_PARSE_DONE:
        return 0;
    case DF_PARSE_WRONG:
        return report(2);
    case DF_PARSE_RUN:
        break;
    }
    return report(commands[config.command](&config));
}
