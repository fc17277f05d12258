/* The file of the CUDA backend's autotune cache. Its reader needs no device. */
#include "fuzz.h"

#include "src/backend/cuda/autotune_cache.h"
#include "src/backend/cuda/cuda_context.h"

#include <stdlib.h>

#define KEY_LENGTH 3
#define ALGORITHMS 4

static void open_cache(struct df_autotune_cache *cache)
{
    static const struct df_cuda_context context = {.device_name = "a device", .capability = 90};

    df_autotune_open(cache, &context, "library", 1, KEY_LENGTH, ALGORITHMS);
    fuzz_check(cache->enabled, "a folder for the cache");
}

static void find_all(struct df_autotune_cache *cache)
{
    int algorithm = -1;

    fuzz_check(df_autotune_find(cache, (const int64_t[KEY_LENGTH]){1, 2, 3}, &algorithm) == 0, "memory");
    fuzz_check(algorithm >= -1 && algorithm < ALGORITHMS, "an algorithm that exists");
    for (size_t i = 0; i < cache->n_entries; i++) {
        fuzz_check(df_autotune_find(cache, cache->entries + i * (KEY_LENGTH + 1), &algorithm) == 0, "memory");
        fuzz_check(algorithm >= 0 && algorithm < ALGORITHMS, "an algorithm that exists");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_MAX];
    struct df_autotune_cache cache;

    setenv("XDG_CACHE_HOME", fuzz_path(".", path), 1);
    unsetenv("DINOFT_CUDA_ALGO");
    open_cache(&cache);
    fuzz_write(cache.path, data, size);
    find_all(&cache);
    df_autotune_close(&cache);
    return 0;
}
