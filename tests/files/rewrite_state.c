/* rewrite_state IN OUT: reads a .pt file and writes it again, for torch_interop.py. */
#include "dinoft/error.h"
#include "dinoft/weight_file.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: rewrite_state IN OUT\n");
        return 2;
    }
    struct df_state *state = df_weight_file_read(argv[1], NULL);
    int status = state ? df_torch_write(argv[2], state) : -1;
    if (status != 0)
        fprintf(stderr, "rewrite_state: %s\n", df_error_text());
    df_state_free(state);
    return status == 0 ? 0 : 1;
}
