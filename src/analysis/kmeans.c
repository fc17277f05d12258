#include "dinoft/kmeans.h"

#include "kmeans_start.h"
#include "row_distance.h"

#include "dinoft/error.h"
#include "dinoft/rng.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BEGINNINGS = 10,
    MOST_ITERATIONS = 100,
    BLOCK = 64,   /* rows that a thread takes at once */
    COLUMNS = 32, /* columns whose sums it makes */
};

#define ENOUGH                                                                                               \
    1e-4 /* of the inertia: a beginning that gains less in an iteration is compared with others              \
          */

/* The rows and where they belong. */
struct fit {
    const float *rows;
    int64_t n_rows, dim;
    int count;
    bool by_direction;
    int *labels;      /* [n_rows] */
    float *distances; /* [n_rows]: squared, from the centre of the label */
    int64_t *sizes;   /* [count] */
    double *sums;     /* [count, dim] */
    float *centers;   /* [count, dim] */
};

static void find_nearest(struct fit *fit, int64_t first, int64_t end, bool *changed)
{
    float distances[DF_MAX_CLUSTERS];

    for (int64_t i = first; i < end; i++) {
        int nearest = 0;
        df_row_distances(fit->rows + i * fit->dim, 1, fit->centers, fit->count, fit->dim, distances);
        for (int k = 1; k < fit->count; k++)
            nearest = distances[k] < distances[nearest] ? k : nearest;
        *changed = *changed || fit->labels[i] != nearest;
        fit->labels[i] = nearest;
        fit->distances[i] = distances[nearest];
    }
}

/* Every row belongs to the nearest centre; whether any belonged to another. */
static bool assign(struct fit *fit)
{
    bool any = false;

#pragma omp parallel for schedule(static) reduction(|| : any)
    for (int64_t first = 0; first < fit->n_rows; first += BLOCK) {
        bool changed = false;
        find_nearest(fit, first, df_min_i64(first + BLOCK, fit->n_rows), &changed);
        any = any || changed;
    }
    memset(fit->sizes, 0, (size_t)fit->count * sizeof *fit->sizes);
    for (int64_t i = 0; i < fit->n_rows; i++)
        fit->sizes[fit->labels[i]]++;
    return any;
}

/* A cluster that has lost all its rows gets the one that is the farthest from its centre. */
static int fill_empty(struct fit *fit)
{
    for (int k = 0; k < fit->count; k++) {
        int64_t farthest = -1;
        if (fit->sizes[k] > 0)
            continue;
        for (int64_t i = 0; i < fit->n_rows; i++) {
            if (fit->distances[i] > 0.0f && fit->sizes[fit->labels[i]] > 1 &&
                (farthest < 0 || fit->distances[i] > fit->distances[farthest]))
                farthest = i;
        }
        if (farthest < 0)
            return df_error_set("%d clusters of %" PRId64 " patches: some stay empty, as too few of the "
                                "patches differ from each other",
                                fit->count, fit->n_rows);
        fit->sizes[fit->labels[farthest]]--;
        fit->sizes[k]++;
        fit->labels[farthest] = k;
        fit->distances[farthest] = 0.0f;
    }
    return 0;
}

/* The sums of each cluster's rows, in the rows' order for each of them. */
static void add_up(struct fit *fit)
{
    const int64_t dim = fit->dim;

    memset(fit->sums, 0, (size_t)(fit->count * dim) * sizeof *fit->sums);
#pragma omp parallel for schedule(static)
    for (int64_t first = 0; first < dim; first += COLUMNS) {
        const int64_t end = df_min_i64(first + COLUMNS, dim);
        for (int64_t i = 0; i < fit->n_rows; i++) {
            double *sums = fit->sums + fit->labels[i] * dim;
            for (int64_t d = first; d < end; d++)
                sums[d] += fit->rows[i * dim + d];
        }
    }
}

static void move_centers(struct fit *fit)
{
    add_up(fit);
    for (int k = 0; k < fit->count; k++) {
        const double *sums = fit->sums + k * fit->dim;
        double scale = 1.0 / (double)fit->sizes[k], square = 0.0;
        for (int64_t d = 0; d < fit->dim; d++)
            square += sums[d] * sums[d];
        if (fit->by_direction) {
            /* Rows that point everywhere have no direction together: the centre stays. */
            if (!(square > 0.0))
                continue;
            scale = 1.0 / sqrt(square);
        }
        for (int64_t d = 0; d < fit->dim; d++)
            fit->centers[k * fit->dim + d] = (float)(sums[d] * scale);
    }
}

static double inertia(const struct fit *fit)
{
    double total = 0.0;

    for (int64_t i = 0; i < fit->n_rows; i++)
        total += fit->distances[i];
    return total;
}

/* Lloyd's iteration from centers on, until it gains no more than this share of the inertia. */
static int iterate(struct fit *fit, double enough, double *reached)
{
    double before = INFINITY;

    for (int i = 0; i < MOST_ITERATIONS; i++) {
        const bool changed = assign(fit);
        DF_TRY(fill_empty(fit));
        *reached = inertia(fit);
        if (!changed || (i > 0 && before - *reached <= enough * before))
            break;
        before = *reached;
        move_centers(fit);
    }
    return 0;
}

static int best_beginning(struct fit *fit, uint64_t seed, float *best)
{
    double least = INFINITY;

    for (int beginning = 0; beginning < BEGINNINGS; beginning++) {
        struct df_rng rng;
        double reached = 0.0;
        df_rng_seed(&rng, seed, df_hash_text("k-means") + (uint64_t)beginning);
        DF_TRY(df_kmeans_start(fit->rows, fit->n_rows, fit->dim, fit->count, &rng, fit->centers));
        DF_TRY(iterate(fit, ENOUGH, &reached));
        if (reached < least) {
            least = reached;
            memcpy(best, fit->centers, (size_t)(fit->count * fit->dim) * sizeof *best);
        }
    }
    memcpy(fit->centers, best, (size_t)(fit->count * fit->dim) * sizeof *best);
    return 0;
}

/* The largest first, so that a number says something. */
static void sort_centers(const struct fit *fit, float *sorted)
{
    for (int k = 0; k < fit->count; k++) {
        int rank = 0;
        for (int other = 0; other < fit->count; other++)
            rank += fit->sizes[other] > fit->sizes[k] || (fit->sizes[other] == fit->sizes[k] && other < k);
        memcpy(sorted + rank * fit->dim, fit->centers + k * fit->dim, (size_t)fit->dim * sizeof *sorted);
    }
}

static int check_rows(float *rows, int64_t n_rows, int64_t dim, int count, bool by_direction)
{
    for (int64_t i = 0; i < n_rows * dim; i++) {
        if (!isfinite(rows[i]))
            return df_error_set("there are no clusters: some of the features are not finite numbers");
    }
    if (n_rows < count)
        return df_error_set("%d clusters of %" PRId64 " patches: there are no more clusters than patches",
                            count, n_rows);
    const int64_t without = by_direction ? df_rows_normalize(rows, n_rows, dim) : 0;
    return without == 0 ? 0
                        : df_error_set("there are no clusters by cosine similarity: the features of %" PRId64
                                       " patches are all 0, which is no direction",
                                       without);
}

int df_clusters_fit(struct df_clusters *clusters, float *rows, int64_t n_rows, int64_t dim, int count,
                    bool by_direction, uint64_t seed)
{
    const size_t numbers = (size_t)count * (size_t)dim;
    struct fit fit = {
        .rows = rows, .n_rows = n_rows, .dim = dim, .count = count, .by_direction = by_direction};
    int status = -1;

    *clusters = (struct df_clusters){.dim = dim, .count = count, .by_direction = by_direction};
    DF_TRY(check_rows(rows, n_rows, dim, count, by_direction));
    fit.labels = calloc((size_t)n_rows, sizeof *fit.labels);
    fit.distances = malloc((size_t)n_rows * sizeof *fit.distances);
    fit.sizes = malloc((size_t)count * sizeof *fit.sizes);
    fit.sums = malloc(numbers * sizeof *fit.sums);
    fit.centers = malloc(numbers * sizeof *fit.centers);
    clusters->centers = malloc(numbers * sizeof *clusters->centers);
    if (!fit.labels || !fit.distances || !fit.sizes || !fit.sums || !fit.centers || !clusters->centers) {
        df_error_memory("clusters", numbers * 4 * sizeof *fit.centers);
        goto done;
    }
    if (best_beginning(&fit, seed, clusters->centers) != 0 || iterate(&fit, 0.0, &clusters->inertia) != 0)
        goto done;
    sort_centers(&fit, clusters->centers);
    status = 0;
done:
    free(fit.labels);
    free(fit.distances);
    free(fit.sizes);
    free(fit.sums);
    free(fit.centers);
    return status;
}

void df_clusters_free(struct df_clusters *clusters)
{
    free(clusters->centers);
    memset(clusters, 0, sizeof *clusters);
}

void df_clusters_distances(const struct df_clusters *clusters, float *rows, int64_t n_rows, float *distances)
{
    if (clusters->by_direction)
        df_rows_normalize(rows, n_rows, clusters->dim);
    df_row_distances(rows, n_rows, clusters->centers, clusters->count, clusters->dim, distances);
}
