#include "fuzz.h"

#include "dinoft/weight_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_MAX];

    fuzz_write(fuzz_path("input.safetensors", path), data, size);
    fuzz_forget_error();
    struct df_state *state = df_weight_file_read(path, NULL);
    if (state)
        fuzz_use_weights(state);
    else
        fuzz_check_error();
    return 0;
}
