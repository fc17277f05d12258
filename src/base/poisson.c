#include "dinoft/poisson.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Probabilities of 0 .. most, and of nothing up to count - 1. */
static void fill_probabilities(double *probabilities, int count, double mean, int most)
{
    double probability = exp(-mean), rest = 1.0;

    for (int k = 0; k < most; k++) {
        probabilities[k] = probability;
        rest -= probability;
        probability *= mean / (k + 1);
    }
    probabilities[most] = rest > 0.0 ? rest : 0.0;
    for (int k = most + 1; k < count; k++)
        probabilities[k] = 0.0;
}

static uint32_t share_of(double part)
{
    return part < 1.0 ? (uint32_t)(part * 0x1p32) : UINT32_MAX;
}

/* Vose's method (1991): a column with less than its part is filled up from one that has more. */
static void fill_columns(struct df_poisson_column *columns, double *parts, int count)
{
    int order[DF_POISSON_MOST + 1]; /* those with less from the start, those with more from the end */
    int less = 0, more = count;

    for (int k = 0; k < count; k++) {
        parts[k] *= count;
        order[parts[k] < 1.0 ? less++ : --more] = k;
    }
    while (less > 0 && more < count) {
        const int small = order[--less], large = order[more];
        columns[small] = (struct df_poisson_column){share_of(parts[small]), (uint32_t)large};
        parts[large] -= 1.0 - parts[small];
        if (parts[large] < 1.0) {
            more++;
            order[less++] = large;
        }
    }
    /* What is left has its whole part, but for rounding. */
    while (less > 0) {
        const int k = order[--less];
        columns[k] = (struct df_poisson_column){UINT32_MAX, (uint32_t)k};
    }
    for (; more < count; more++)
        columns[order[more]] = (struct df_poisson_column){UINT32_MAX, (uint32_t)order[more]};
}

int df_poisson_open(struct df_poisson *poisson, double mean, int most)
{
    double probabilities[DF_POISSON_MOST + 1];
    int bits = 0;

    assert(mean >= 0.0 && mean <= DF_POISSON_LARGEST_MEAN && most >= 1 && most <= DF_POISSON_MOST);
    while (1 << bits <= most)
        bits++;
    const int count = 1 << bits;
    poisson->bits = bits;
    poisson->columns = malloc((size_t)count * sizeof *poisson->columns);
    if (!poisson->columns)
        return df_error_memory("a table of chances", (unsigned long long)count * sizeof *poisson->columns);
    fill_probabilities(probabilities, count, mean, most);
    fill_columns(poisson->columns, probabilities, count);
    return 0;
}

void df_poisson_close(struct df_poisson *poisson)
{
    free(poisson->columns);
    poisson->columns = NULL;
}

int df_poisson_draw(const struct df_poisson *poisson, struct df_rng *rng)
{
    const uint64_t bits = df_rng_u64(rng);
    const uint32_t column = (uint32_t)bits & ((1u << poisson->bits) - 1);
    const struct df_poisson_column found = poisson->columns[column];
    /* No branch: it would go the unexpected way half of the time. */
    const uint32_t exchange = 0u - (uint32_t)((uint32_t)(bits >> 32) >= found.share);
    return (int)(column ^ (exchange & (column ^ found.other)));
}
