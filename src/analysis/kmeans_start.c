#include "kmeans_start.h"

#include "row_distance.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TRIES = 8, BLOCK = 64 };

struct start {
    const float *rows;
    int64_t n_rows, dim;
    float *nearest; /* [n_rows]: squared distance from the nearest centre so far */
    float *tried;   /* [n_rows, tries]: the same with each of the tries beside them */
    float *tries;   /* [tries, dim] */
};

static double sum(const float *values, int64_t count, int64_t step)
{
    double total = 0.0;

    for (int64_t i = 0; i < count; i++)
        total += values[i * step];
    return total;
}

/* A row by chance, in proportion to its squared distance. */
static int64_t draw(const struct start *start, double total, struct df_rng *rng)
{
    double rest = df_rng_uniform(rng, 0.0, total);
    int64_t last = 0;

    for (int64_t i = 0; i < start->n_rows; i++) {
        if (!(start->nearest[i] > 0.0f))
            continue;
        last = i;
        rest -= start->nearest[i];
        if (rest < 0.0)
            break;
    }
    return last;
}

/* The distances from the nearest centre, if each of the tries was one. */
static void try_rows(struct start *start, int64_t tries)
{
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < start->n_rows; first += BLOCK) {
        const int64_t end = df_min_i64(first + BLOCK, start->n_rows);
        float *tried = start->tried + first * tries;
        df_row_distances(start->rows + first * start->dim, end - first, start->tries, tries, start->dim,
                         tried);
        for (int64_t i = first; i < end; i++)
            for (int64_t t = 0; t < tries; t++)
                start->tried[i * tries + t] = fminf(start->tried[i * tries + t], start->nearest[i]);
    }
}

static void set_try(struct start *start, int64_t number, int64_t row)
{
    memcpy(start->tries + number * start->dim, start->rows + row * start->dim,
           (size_t)start->dim * sizeof *start->tries);
}

/* Makes the best of the tries a centre. */
static void take_best(struct start *start, int64_t tries, float *center)
{
    int64_t best = 0;
    double least = INFINITY;

    try_rows(start, tries);
    for (int64_t t = 0; t < tries; t++) {
        const double total = sum(start->tried + t, start->n_rows, tries);
        if (total < least) {
            least = total;
            best = t;
        }
    }
    for (int64_t i = 0; i < start->n_rows; i++)
        start->nearest[i] = start->tried[i * tries + best];
    memcpy(center, start->tries + best * start->dim, (size_t)start->dim * sizeof *center);
}

static int choose(struct start *start, int count, struct df_rng *rng, float *centers)
{
    const int64_t tries = df_min_i64(2 + (int64_t)log(count), MOST_TRIES);

    for (int64_t i = 0; i < start->n_rows; i++)
        start->nearest[i] = INFINITY;
    set_try(start, 0, (int64_t)df_rng_below(rng, (uint64_t)start->n_rows));
    take_best(start, 1, centers);
    for (int k = 1; k < count; k++) {
        const double total = sum(start->nearest, start->n_rows, 1);
        if (!(total > 0.0))
            return df_error_set("%d clusters of %" PRId64 " patches: only %d of them differ from each other",
                                count, start->n_rows, k);
        for (int64_t t = 0; t < tries; t++)
            set_try(start, t, draw(start, total, rng));
        take_best(start, tries, centers + k * start->dim);
    }
    return 0;
}

int df_kmeans_start(const float *rows, int64_t n_rows, int64_t dim, int count, struct df_rng *rng,
                    float *centers)
{
    struct start start = {.rows = rows, .n_rows = n_rows, .dim = dim};
    const size_t numbers = (size_t)n_rows * (MOST_TRIES + 1) + (size_t)dim * MOST_TRIES;
    int status;

    start.nearest = malloc(numbers * sizeof *start.nearest);
    if (!start.nearest)
        return df_error_memory("the beginning of clusters", numbers * sizeof *start.nearest);
    start.tried = start.nearest + n_rows;
    start.tries = start.tried + n_rows * MOST_TRIES;
    status = choose(&start, count, rng, centers);
    free(start.nearest);
    return status;
}
