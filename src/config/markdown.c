/* The tables of commands and options of docs/options.md. */
#include "option_text.h"

/* One row of the table; '|' inside a cell is escaped, or it would end the cell. */
static void print_row(FILE *stream, const struct df_option_info *option)
{
    char flag[DF_OPTION_TEXT_MAX], initial[DF_OPTION_TEXT_MAX], commands[DF_LIST_TEXT_MAX];
    df_option_flag_text(option, "\\|", flag);
    df_option_default_text(option, initial);
    const char *tick = initial[0] ? "`" : "";
    if (!initial[0])
        snprintf(initial, sizeof initial, "%s", option->kind == DF_KIND_SWITCH ? "off" : "none");
    fprintf(stream, "| `%s` | %s%s%s | %s | %s |\n", flag, tick, initial, tick,
            option->commands == (1u << DF_COMMAND_COUNT) - 1 ? "all"
                                                             : df_command_list(option->commands, commands),
            option->help);
}

void df_config_print_markdown(FILE *stream)
{
    fprintf(stream, "| command | |\n| --- | --- |\n");
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        const struct df_command_info *info = &df_commands[c];
        fprintf(stream, "| `dinoft %s%s%s` | %s |\n", info->name, info->arguments[0] ? " " : "",
                info->arguments, info->summary);
    }
    for (int group = 0; group < DF_GROUP_COUNT; group++) {
        fprintf(stream, "\n**%s**\n\n| flag | default | commands | meaning |\n| --- | --- | --- | --- |\n",
                df_group_title((enum df_option_group)group));
        for (int i = 0; i < DF_OPTION_COUNT; i++) {
            if ((int)df_options[i].group == group)
                print_row(stream, &df_options[i]);
        }
    }
}
