#include "dinoft/rng.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void df_rng_seed(struct df_rng *rng, uint64_t seed, uint64_t stream)
{
    rng->state = mix(mix(seed + 0x9e3779b97f4a7c15u) ^ (stream + 0xd1b54a32d192ed03u));
}

uint64_t df_hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

uint64_t df_rng_u64(struct df_rng *rng)
{
    rng->state += 0x9e3779b97f4a7c15u;
    return mix(rng->state);
}

double df_rng_double(struct df_rng *rng)
{
    return (double)(df_rng_u64(rng) >> 11) * 0x1p-53;
}

double df_rng_uniform(struct df_rng *rng, double low, double high)
{
    return low + (high - low) * df_rng_double(rng);
}

uint64_t df_rng_below(struct df_rng *rng, uint64_t bound)
{
    uint64_t reject = (0 - bound) % bound; /* 2^64 mod bound: values below it would be drawn once too often */
    uint64_t value;
    do {
        value = df_rng_u64(rng);
    } while (value < reject);
    return value % bound;
}

double df_rng_normal(struct df_rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - df_rng_double(rng)));
    return radius * cos(2.0 * 3.14159265358979323846 * df_rng_double(rng));
}

void df_rng_permutation(struct df_rng *rng, int64_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)df_rng_below(rng, (uint64_t)i + 1);
        int64_t keep = order[i];
        order[i] = order[j];
        order[j] = keep;
    }
}
