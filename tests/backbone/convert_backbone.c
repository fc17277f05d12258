/* convert_backbone IN OUT: a backbone under official names, for tests in Python. */
#include "dinoft/backbone_file.h"
#include "dinoft/error.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct df_vit_config config;
    if (argc != 3) {
        fprintf(stderr, "usage: convert_backbone IN OUT\n");
        return 2;
    }
    struct df_state *state = df_backbone_read(argv[1], &config);
    int status = state ? df_weight_file_write(argv[2], state) : -1;
    if (status == 0)
        printf("%s\n", df_vit_hub_name(&config) ? df_vit_hub_name(&config) : "(no hub name)");
    else
        fprintf(stderr, "%s\n", df_error_text());
    df_state_free(state);
    return status == 0 ? 0 : 1;
}
