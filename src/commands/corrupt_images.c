#include "commands.h"

#include "dinoft/error.h"

int command_corrupt_images(const struct df_config *config)
{
    (void)config;
    df_error_set("not there yet");
    return 1;
}
