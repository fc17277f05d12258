#include "dinoft/rng.h"

#include "ziggurat.h"

#include <math.h>
#include <stdbool.h>

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

void df_rng_uniforms(struct df_rng *rng, float low, float high, float *values, int64_t count)
{
    const float step = (high - low) * 0x1p-24f;
    struct df_rng local = *rng; /* in a register, which values cannot alias */

    for (int64_t i = 0; i < count; i++)
        values[i] = low + step * (float)(int32_t)(df_rng_u64(&local) >> 40);
    *rng = local;
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

/* Beyond the lowest layer's rectangle (Marsaglia 1964): exp(-x^2 / 2) is an exponential density there, but
 * for a factor that a second one is compared with. */
static double normal_tail(struct df_rng *rng)
{
    const double start = ziggurat[1];
    double beyond, height;

    do {
        beyond = -log(1.0 - df_rng_double(rng)) / start;
        height = -log(1.0 - df_rng_double(rng));
    } while (2.0 * height < beyond * beyond);
    return start + beyond;
}

/* A point of a layer that is not surely under the curve; false: it is not. */
static bool in_wedge(struct df_rng *rng, int layer, double x)
{
    const double low = exp(-0.5 * ziggurat[layer] * ziggurat[layer]);
    const double high = exp(-0.5 * ziggurat[layer + 1] * ziggurat[layer + 1]);
    return low + (high - low) * df_rng_double(rng) < exp(-0.5 * x * x);
}

/* Eight bits choose the layer, the upper 53 a place in it and the side; in 99 of 100 draws that is all. */
static inline double normal(struct df_rng *rng)
{
    for (;;) {
        const uint64_t bits = df_rng_u64(rng);
        const int layer = (int)(bits % ZIGGURAT_LAYERS);
        const double x = (double)((int64_t)(bits >> 11) - ((int64_t)1 << 52)) * 0x1p-52 * ziggurat[layer];
        if (fabs(x) < ziggurat[layer + 1])
            return x;
        if (layer == 0)
            return copysign(normal_tail(rng), x);
        if (in_wedge(rng, layer, x))
            return x;
    }
}

double df_rng_normal(struct df_rng *rng)
{
    return normal(rng);
}

void df_rng_normals(struct df_rng *rng, float *values, int64_t count)
{
    struct df_rng local = *rng; /* in a register, which values cannot alias */

    for (int64_t i = 0; i < count; i++)
        values[i] = (float)normal(&local);
    *rng = local;
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
