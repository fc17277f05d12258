/* Random numbers that depend on a seed and a stream name or number only, never on threads or order of use.
 *
 * SplitMix64 (Steele, Lea, Flood 2014) over a 64-bit counter: small state, any stream can be started
 * anywhere. */
#ifndef DINOFT_RNG_H
#define DINOFT_RNG_H

#include <stddef.h>
#include <stdint.h>

struct df_rng {
    uint64_t state;
};

/* A stream of its own for each (seed, stream). */
void df_rng_seed(struct df_rng *rng, uint64_t seed, uint64_t stream);

/* 64-bit FNV-1a of a text, for streams that belong to a name. */
uint64_t df_hash_text(const char *text);

uint64_t df_rng_u64(struct df_rng *rng);

/* Uniform in [0, 1), 53 bits. */
double df_rng_double(struct df_rng *rng);

/* Uniform in [low, high). */
double df_rng_uniform(struct df_rng *rng, double low, double high);

/* count values uniform in [low, high] (24 bits; rounding to float32 may reach high). */
void df_rng_uniforms(struct df_rng *rng, float low, float high, float *values, int64_t count);

/* Uniform in 0..bound-1 without bias; bound > 0. */
uint64_t df_rng_below(struct df_rng *rng, uint64_t bound);

/* Standard normal (Marsaglia and Tsang's ziggurat, exact in the tail). */
double df_rng_normal(struct df_rng *rng);

/* The next count standard normals, rounded to float32. */
void df_rng_normals(struct df_rng *rng, float *values, int64_t count);

/* Fills order with a random permutation of 0..count-1 (Fisher-Yates). */
void df_rng_permutation(struct df_rng *rng, int64_t *order, int64_t count);

#endif
