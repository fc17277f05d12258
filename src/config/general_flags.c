#include "general.h"

#include <stdio.h>
#include <string.h>

const char *const df_shells[] = {"bash", "zsh", "fish", NULL};

const struct df_general_flag df_general_flags[DF_GENERAL_COUNT] = {
    [DF_GENERAL_HELP] = {"help", NULL, "list the commands and these flags"},
    [DF_GENERAL_MAN] = {"help_man", "[COMMAND]", "the manual page of the program or a command, in roff"},
    [DF_GENERAL_MARKDOWN] = {"help_markdown", NULL, "all options of all commands, in Markdown"},
    [DF_GENERAL_COMPLETION] = {"completion", "SHELL",
                               "a script with which bash, zsh or fish completes what is typed"},
    [DF_GENERAL_VERSION] = {"version", NULL,
                            "the program's version; with --verbose, what a report of a fault should say"},
};

void df_general_flag_text(const struct df_general_flag *flag, char text[DF_OPTION_TEXT_MAX])
{
    snprintf(text, DF_OPTION_TEXT_MAX, "%s--%s%s%s", strcmp(flag->name, "help") == 0 ? "-h, " : "",
             flag->name, flag->argument ? " " : "", flag->argument ? flag->argument : "");
}
