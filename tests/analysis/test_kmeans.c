/* Clusters of drawn blobs, and of rows on which it is known what scikit-learn reaches. */
#include "kmeans_goldens.h"
#include "support/errors.h"

#include "dinoft/kmeans.h"
#include "dinoft/rng.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1200, DIM = 12, BLOBS = 20 };

static float draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 22);
}

/* As make_kmeans_goldens.py draws them. */
static float *draw_rows(void)
{
    float middles[BLOBS][DIM], *rows = malloc(sizeof *rows * ROWS * DIM);
    uint32_t state = 12345;

    assert_non_null(rows);
    for (int b = 0; b < BLOBS; b++)
        for (int d = 0; d < DIM; d++)
            middles[b][d] = draw(&state);
    for (int i = 0; i < ROWS; i++) {
        for (int d = 0; d < DIM; d++) {
            const double noise = draw(&state) + draw(&state) + draw(&state);
            rows[i * DIM + d] = (float)((middles[i % BLOBS][d] + noise / 3.0 - 300.0) / 64.0);
        }
    }
    return rows;
}

static void is_as_good_as_scikit_learn(void **state)
{
    for (size_t g = 0; g < sizeof goldens / sizeof *goldens; g++) {
        const struct golden *golden = &goldens[g];
        for (uint64_t seed = 0; seed < 2; seed++) {
            float *rows = draw_rows();
            struct df_clusters clusters;
            assert_works(
                df_clusters_fit(&clusters, rows, ROWS, DIM, golden->count, golden->by_direction, seed) == 0);
            if (clusters.inertia > 1.03 * golden->inertia || clusters.inertia < 0.97 * golden->inertia)
                fail_msg("%d clusters: %g, not %g", golden->count, clusters.inertia, golden->inertia);
            df_clusters_free(&clusters);
            free(rows);
        }
    }
}

/* Three blobs of 60, 30 and 10 rows, far from each other and, by their distance, far from 0. */
static void draw_blobs(float *rows, int *blobs)
{
    static const float middles[3][4] = {{100, 0, 0, 5}, {0, 100, 0, 5}, {0, 0, 100, 5}};
    struct df_rng rng;

    df_rng_seed(&rng, 1, 2);
    for (int i = 0; i < 100; i++) {
        blobs[i] = i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2;
        for (int d = 0; d < 4; d++)
            rows[4 * i + d] = middles[blobs[i]][d] + (float)df_rng_normal(&rng);
    }
}

static void finds_blobs_the_largest_first(void **state)
{
    for (int by_direction = 0; by_direction < 2; by_direction++) {
        float rows[400], distances[300];
        int blobs[100];
        struct df_clusters clusters;
        draw_blobs(rows, blobs);
        assert_works(df_clusters_fit(&clusters, rows, 100, 4, 3, by_direction, 5) == 0);
        draw_blobs(rows, blobs);
        df_clusters_distances(&clusters, rows, 100, distances);
        double sum = 0.0;
        for (int i = 0; i < 100; i++) {
            for (int k = 0; k < 3; k++)
                assert_true(k == blobs[i] || distances[3 * i + k] > 10.0f * distances[3 * i + blobs[i]]);
            sum += distances[3 * i + blobs[i]];
        }
        assert_true(fabs(sum - clusters.inertia) < 1e-4 * sum);
        for (int k = 0; k < 3 && by_direction; k++) {
            double square = 0.0;
            for (int d = 0; d < 4; d++)
                square += (double)clusters.centers[4 * k + d] * clusters.centers[4 * k + d];
            assert_true(fabs(square - 1.0) < 1e-6);
        }
        df_clusters_free(&clusters);
    }
}

/* Rows of one direction are one cluster, whatever their lengths. */
static void lengths_do_not_count_by_direction(void **state)
{
    float rows[40];
    struct df_clusters clusters;

    for (int i = 0; i < 20; i++) {
        rows[2 * i] = i % 2 ? (float)(1 << i) : 0.0f;
        rows[2 * i + 1] = i % 2 ? 0.0f : (float)(1 << i);
    }
    assert_works(df_clusters_fit(&clusters, rows, 20, 2, 2, true, 0) == 0);
    assert_true(clusters.inertia < 1e-9);
    df_clusters_free(&clusters);
}

static void threads_change_no_bit(void **state)
{
    const int usual = omp_get_max_threads();
    float centers[BLOBS * DIM];

    for (int threads = 1; threads <= 3; threads++) {
        float *rows = draw_rows();
        struct df_clusters clusters;
        omp_set_num_threads(threads);
        assert_works(df_clusters_fit(&clusters, rows, ROWS, DIM, BLOBS, true, 7) == 0);
        if (threads > 1)
            assert_memory_equal(centers, clusters.centers, sizeof centers);
        memcpy(centers, clusters.centers, sizeof centers);
        df_clusters_free(&clusters);
        free(rows);
    }
    omp_set_num_threads(usual);
}

/* As many clusters as rows differ: each is one of them. */
static void as_many_clusters_as_rows(void **state)
{
    float rows[60];
    struct df_clusters clusters;

    for (int i = 0; i < 60; i++)
        rows[i] = (float)(i / 2 % 15 * (i % 2 + 1));
    assert_works(df_clusters_fit(&clusters, rows, 30, 2, 15, false, 3) == 0);
    assert_true(clusters.inertia == 0.0);
    df_clusters_free(&clusters);
    assert_int_equal(df_clusters_fit(&clusters, rows, 30, 2, 16, false, 3), -1);
    assert_error_has("16 clusters of 30 patches: only 15 of them differ");
    df_clusters_free(&clusters);
}

static void refuses_what_has_no_clusters(void **state)
{
    float rows[40] = {0.0f};
    struct df_clusters clusters;

    for (int i = 0; i < 38; i++)
        rows[i] = (float)(i + 1);
    assert_int_equal(df_clusters_fit(&clusters, rows, 20, 2, 21, false, 0), -1);
    assert_error_has("no more clusters than patches");
    df_clusters_free(&clusters);
    assert_int_equal(df_clusters_fit(&clusters, rows, 20, 2, 2, true, 0), -1);
    assert_error_has("the features of 1 patches are all 0");
    df_clusters_free(&clusters);
    rows[7] = NAN;
    assert_int_equal(df_clusters_fit(&clusters, rows, 20, 2, 2, false, 0), -1);
    assert_error_has("not finite");
    df_clusters_free(&clusters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_good_as_scikit_learn),        cmocka_unit_test(finds_blobs_the_largest_first),
        cmocka_unit_test(lengths_do_not_count_by_direction), cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(as_many_clusters_as_rows),          cmocka_unit_test(refuses_what_has_no_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
