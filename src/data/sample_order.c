/* The order in which an epoch takes the samples. */
#include "dinoft/loader.h"

#include "dinoft/error.h"
#include "dinoft/rng.h"
#include "dinoft/size.h"

#include <stdlib.h>
#include <string.h>

/* The samples shard by shard, those of a shard as they are listed; where each shard's begin goes to starts
 * [n_shards + 1], which is zeroed. */
static void take_shards(int64_t *order, const struct df_dataset *dataset, const int64_t *shards,
                        int64_t *starts, int64_t *place)
{
    const int32_t n_shards = dataset->n_shards;

    for (int32_t i = 0; i < n_shards; i++)
        place[shards[i]] = i;
    for (int64_t i = 0; i < dataset->count; i++)
        starts[place[dataset->samples[i].shard] + 1]++;
    for (int32_t i = 0; i < n_shards; i++)
        starts[i + 1] += starts[i];
    for (int64_t i = 0; i < dataset->count; i++)
        order[starts[place[dataset->samples[i].shard]]++] = i;
}

/* Each sample is one of the next `buffer` that were not taken yet. */
static void draw_from_buffer(int64_t *order, int64_t count, int64_t buffer, struct df_rng *rng)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t left = df_max_i64(1, df_min_i64(buffer, count - i));
        const int64_t drawn = i + (int64_t)df_rng_below(rng, (uint64_t)left), sample = order[drawn];
        order[drawn] = order[i];
        order[i] = sample;
    }
}

static int shuffle_shards(int64_t *order, const struct df_dataset *dataset, int64_t buffer,
                          struct df_rng *rng)
{
    const size_t shards = (size_t)dataset->n_shards;
    int64_t *drawn = calloc(3 * shards + 1, sizeof *drawn);

    if (!drawn)
        return df_error_memory("the order of shards", (unsigned long long)(3 * shards * sizeof *drawn));
    df_rng_permutation(rng, drawn, dataset->n_shards);
    take_shards(order, dataset, drawn, drawn + shards, drawn + 2 * shards + 1);
    free(drawn);
    draw_from_buffer(order, dataset->count, buffer, rng);
    return 0;
}

int df_sample_order(int64_t *order, int64_t count, const struct df_shuffle *shuffle, int64_t epoch)
{
    const struct df_dataset *shards = shuffle->shards;
    struct df_rng rng;

    if (!shuffle->on) {
        for (int64_t i = 0; i < count; i++)
            order[i] = i;
        return 0;
    }
    df_rng_seed(&rng, shuffle->seed, df_hash_text("order of samples") + (uint64_t)epoch);
    if (shards && shards->n_shards > 0)
        return shuffle_shards(order, shards, shuffle->buffer, &rng);
    df_rng_permutation(&rng, order, count);
    return 0;
}
