#include "cpu_context.h"

#include <string.h>

struct df_primitive *df_primitive_cache_find(struct df_primitive_cache *cache,
                                             const struct df_primitive_key *key)
{
    for (int i = 0; i < cache->n_entries; i++) {
        if (!memcmp(&cache->entries[i].key, key, sizeof *key)) {
            cache->entries[i].last_use = ++cache->clock;
            return cache->entries[i].primitive;
        }
    }
    return NULL;
}

static int free_slot(struct df_primitive_cache *cache)
{
    int oldest = 0;

    if (cache->n_entries < DF_PRIMITIVE_CACHE_SIZE)
        return cache->n_entries++;
    for (int i = 1; i < cache->n_entries; i++) {
        if (cache->entries[i].last_use < cache->entries[oldest].last_use)
            oldest = i;
    }
    df_primitive_free(cache->entries[oldest].primitive);
    return oldest;
}

struct df_primitive *df_primitive_cache_add(struct df_primitive_cache *cache,
                                            const struct df_primitive_key *key,
                                            struct df_primitive *primitive)
{
    if (!primitive)
        return NULL;
    int i = free_slot(cache);
    cache->entries[i].key = *key;
    cache->entries[i].primitive = primitive;
    cache->entries[i].last_use = ++cache->clock;
    return primitive;
}

void df_primitive_cache_clear(struct df_primitive_cache *cache)
{
    for (int i = 0; i < cache->n_entries; i++)
        df_primitive_free(cache->entries[i].primitive);
    memset(cache, 0, sizeof *cache);
}
