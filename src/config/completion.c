#include "completion.h"

#include <string.h>

void df_config_print_completion(FILE *stream, const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        df_completion_bash(stream);
    else if (strcmp(shell, "zsh") == 0)
        df_completion_zsh(stream);
    else
        df_completion_fish(stream);
}
