#include "completion.h"

#include <string.h>

const char *const df_shells[] = {"bash", "zsh", "fish", NULL};

void df_config_print_completion(FILE *stream, const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        df_completion_bash(stream);
    else if (strcmp(shell, "zsh") == 0)
        df_completion_zsh(stream);
    else
        df_completion_fish(stream);
}

void df_print_words(FILE *stream, const struct df_value_words *words)
{
    for (int i = 0; i < words->count; i++)
        fprintf(stream, "%s%s", i > 0 ? " " : "", words->words[i]);
}
