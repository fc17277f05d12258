/* The file in which the CUDA backend keeps its choices of algorithms. Its reader needs no device. */
#include "fuzz.h"

#include "src/backend/cuda/choices.h"
#include "src/backend/cuda/cuda_context.h"

#include <stdlib.h>

#define NUMBERS 3
#define WAYS    4

static void open_choices(struct df_choices *choices)
{
    static const struct df_cuda_context context = {.device_name = "a device", .capability = 90};

    df_choices_open(choices, &context, "library", 1, NUMBERS, WAYS);
    fuzz_check(choices->timed, "a place for choices");
}

static void find_all(struct df_choices *choices)
{
    int way = -1;

    fuzz_check(df_choices_find(choices, (const int64_t[NUMBERS]){1, 2, 3}, &way) == 0, "memory");
    fuzz_check(way >= -1 && way < WAYS, "a way that exists");
    for (size_t i = 0; i < choices->n_known; i++) {
        fuzz_check(df_choices_find(choices, choices->known + i * (NUMBERS + 1), &way) == 0, "memory");
        fuzz_check(way >= 0 && way < WAYS, "a way that exists");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_MAX];
    struct df_choices choices;

    setenv("XDG_CACHE_HOME", fuzz_path(".", path), 1);
    unsetenv("DINOFT_CUDA_ALGO");
    open_choices(&choices);
    fuzz_write(choices.path, data, size);
    find_all(&choices);
    df_choices_close(&choices);
    return 0;
}
