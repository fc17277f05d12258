#include "commands/commands.h"
#include "commands/waiting.h"

#include "dinoft/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef int command_function(const struct df_config *config);

static command_function *const commands[DF_COMMAND_COUNT] = {
    [DF_COMMAND_TRAIN] = command_train,
    [DF_COMMAND_EVAL] = command_eval,
    [DF_COMMAND_PREDICT] = command_predict,
    [DF_COMMAND_FEATURES] = command_features,
    [DF_COMMAND_CONVERT] = command_convert,
    [DF_COMMAND_INFO] = command_info,
    [DF_COMMAND_DEMO_DATA] = command_demo_data,
    [DF_COMMAND_BENCH] = command_bench,
    [DF_COMMAND_SELFTEST] = command_selftest,
    [DF_COMMAND_CORRUPT] = command_corrupt,
    [DF_COMMAND_CORRUPT_IMAGES] = command_corrupt_images,
    [DF_COMMAND_PCA] = command_pca,
};

/* The command's exit status, after its error was printed. What did not reach standard output is an error,
 * too. */
static int report(int status)
{
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        df_error_set("cannot write to standard output: %s", strerror(errno));
        status = 1;
    }
    if (status == 1 || status == 2)
        fprintf(stderr, "dinoft: error: %s\n", df_error_text());
    return status;
}

/* A file that is opened while a standard stream is closed would get its number, and what is printed. Standard
 * output is made unwritable instead, so that a result that nobody gets is still an error. */
static void open_standard_streams(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0 &&
            open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY) < 0)
            _exit(1);
    }
}

int main(int argc, char **argv)
{
    struct df_config config;

    df_wait_shortly(argv);
    open_standard_streams();
    signal(SIGXFSZ,
           SIG_IGN); /* a file that may not grow is then an error of the write, which says what is lost */
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
