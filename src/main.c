#include "commands/commands.h"
#include "commands/interrupt.h"
#include "commands/version.h"
#include "commands/waiting.h"

#include "dinoft/archive_path.h"
#include "dinoft/cleanup.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/log_file.h"
#include "dinoft/version.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command {
    int (*run)(struct df_config *config);
    bool computes; /* in OpenMP's threads */
};

static const struct command commands[DF_COMMAND_COUNT] = {
    [DF_COMMAND_TRAIN] = {command_train, true},
    [DF_COMMAND_SWEEP] = {command_sweep, true},
    [DF_COMMAND_EVAL] = {command_eval, true},
    [DF_COMMAND_PREDICT] = {command_predict, true},
    [DF_COMMAND_FEATURES] = {command_features, true},
    [DF_COMMAND_CONVERT] = {command_convert, false},
    [DF_COMMAND_DATA] = {command_data, false},
    [DF_COMMAND_INFO] = {command_info, false},
    [DF_COMMAND_DEMO_DATA] = {command_demo_data, false},
    [DF_COMMAND_BENCH] = {command_bench, true},
    [DF_COMMAND_SELFTEST] = {command_selftest, true},
    [DF_COMMAND_CORRUPT] = {command_corrupt, true},
    [DF_COMMAND_CORRUPT_IMAGES] = {command_corrupt_images, false},
    [DF_COMMAND_PCA] = {command_pca, true},
    [DF_COMMAND_REPORT] = {command_report, false},
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
        df_log("error: %s", df_error_text());
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

/* The words of the command line as they were typed; parsing changes their order. NULL with the error set. */
static char **copy_words(int argc, char **argv)
{
    const size_t bytes = ((size_t)argc + 1) * sizeof *argv;
    char **words = malloc(bytes);

    if (!words) {
        df_error_memory("the command line", bytes);
        return NULL;
    }
    return memcpy(words, argv, bytes);
}

/* Where the command's lines go, from here on. */
static int open_log(const struct df_config *config)
{
    char words[1024] = "";
    size_t used = 0;
    int file = -1;

    if (config->log_file) {
        file = df_log_file_open(config->log_file);
        if (file < 0)
            return df_error_context("--log_file");
    }
    df_log_settings(config->quiet, file);
    for (char **word = config->command_line + 1; *word && used < sizeof words; word++)
        used += (size_t)snprintf(words + used, sizeof words - used, " %s", *word);
    df_log_to_file("dinoft %s begins:%s", DINOFT_VERSION, words);
    return 0;
}

static int run_command(struct df_config *config, char **typed)
{
    const struct command *command = &commands[config->command];

    config->command_line = typed;
    if (command->computes)
        df_wait_shortly(typed);
    if (open_log(config) != 0)
        return 1;
    if (df_config_complete(config) != 0)
        return df_error_is_memory() ? 1 : 2;
    return command->run(config);
}

int main(int argc, char **argv)
{
    struct df_config config;
    int status = 0;

    open_standard_streams();
    interrupt_end_cleanly();
    signal(SIGXFSZ,
           SIG_IGN); /* a file that may not grow is then an error of the write, which says what is lost */
    char **typed = copy_words(argc, argv);
    if (!typed)
        return report(1);
    switch (df_config_parse(argc, argv, &config)) {
    case DF_PARSE_DONE:
        break;
    case DF_PARSE_WRONG:
        status = df_error_is_memory() ? 1 : 2;
        break;
    case DF_PARSE_FACTS:
        print_facts(stdout);
        break;
    case DF_PARSE_RUN:
        status = run_command(&config, typed);
        break;
    }
    df_config_free(&config);
    df_archives_close();
    df_cleanup_folders();
    free(typed);
    status = interrupt_status(report(status));
    df_log_to_file("dinoft ends with status %d", status);
    return status;
}
