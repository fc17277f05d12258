/* Principal components against a plain reference: the covariance in two passes, eigenvectors by Jacobi's
 * rotations. */
#include "support/errors.h"

#include "dinoft/pca.h"
#include "dinoft/rng.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIM 67

struct reference {
    double mean[MAX_DIM], matrix[MAX_DIM][MAX_DIM], vectors[MAX_DIM][MAX_DIM];
};

static void covariance(struct reference *r, const float *rows, int64_t count, int dim)
{
    memset(r, 0, sizeof *r);
    for (int64_t i = 0; i < count; i++)
        for (int d = 0; d < dim; d++)
            r->mean[d] += rows[i * dim + d] / (double)count;
    for (int64_t i = 0; i < count; i++)
        for (int a = 0; a < dim; a++)
            for (int b = 0; b < dim; b++)
                r->matrix[a][b] +=
                    (rows[i * dim + a] - r->mean[a]) * (rows[i * dim + b] - r->mean[b]) / (double)(count - 1);
}

/* Turns rows and columns p and q so that their element becomes 0; vectors [column][element] follow. */
static void rotate(struct reference *r, int dim, int p, int q)
{
    if (fabs(r->matrix[p][q]) < 1e-300)
        return;
    const double theta = (r->matrix[q][q] - r->matrix[p][p]) / (2.0 * r->matrix[p][q]);
    const double t = copysign(1.0, theta) / (fabs(theta) + sqrt(theta * theta + 1.0));
    const double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
    for (int k = 0; k < dim; k++) {
        const double a = r->matrix[k][p], b = r->matrix[k][q];
        r->matrix[k][p] = c * a - s * b;
        r->matrix[k][q] = s * a + c * b;
    }
    for (int k = 0; k < dim; k++) {
        const double a = r->matrix[p][k], b = r->matrix[q][k];
        r->matrix[p][k] = c * a - s * b;
        r->matrix[q][k] = s * a + c * b;
        const double v = r->vectors[p][k], w = r->vectors[q][k];
        r->vectors[p][k] = c * v - s * w;
        r->vectors[q][k] = s * v + c * w;
    }
}

static void diagonalize(struct reference *r, int dim)
{
    for (int d = 0; d < dim; d++)
        r->vectors[d][d] = 1.0;
    for (int sweep = 0; sweep < 30; sweep++)
        for (int p = 0; p < dim; p++)
            for (int q = p + 1; q < dim; q++)
                rotate(r, dim, p, q);
}

static double sign_of_farthest(const double *values, int dim)
{
    double farthest = 0.0;
    for (int d = 0; d < dim; d++)
        farthest = fabs(values[d]) > fabs(farthest) ? values[d] : farthest;
    return farthest < 0.0 ? -1.0 : 1.0;
}

/* The k-th largest variance's column. */
static int column_of(const struct reference *r, int dim, int k)
{
    for (int column = 0; column < dim; column++) {
        int larger = 0;
        for (int other = 0; other < dim; other++)
            larger += r->matrix[other][other] > r->matrix[column][column];
        if (larger == k)
            return column;
    }
    fail();
    return 0;
}

/* Mixed normal numbers, of different spreads, far from 0. */
static float *draw_rows(int64_t count, int dim, uint64_t seed)
{
    float *rows = malloc((size_t)(count * dim) * sizeof *rows);
    struct df_rng rng;

    assert_non_null(rows);
    df_rng_seed(&rng, seed, 1);
    for (int64_t i = 0; i < count; i++) {
        double last = 0.0;
        for (int d = 0; d < dim; d++) {
            last = 0.6 * last + df_rng_normal(&rng) * (1.0 + 20.0 / (1.0 + d));
            rows[i * dim + d] = (float)(last + 300.0 - 11.0 * d);
        }
    }
    return rows;
}

/* Adds rows in parts of different sizes, as images bring them. */
static void solve(const float *rows, int64_t count, int dim, const uint8_t *keep,
                  struct df_components *components)
{
    static const int64_t parts[] = {70, 1, 200, 64};
    struct df_pca *pca = df_pca_new(dim);

    assert_non_null(pca);
    for (int64_t first = 0, k = 0; first < count; k++) {
        const int64_t rest = count - first, part = parts[k % 4] < rest ? parts[k % 4] : rest;
        df_pca_add(pca, rows + first * dim, part, keep ? keep + first : NULL);
        first += part;
    }
    assert_int_equal(df_pca_solve(pca, components), 0);
    df_pca_free(pca);
}

static void compare(const float *rows, int64_t count, int dim, const uint8_t *keep, const float *kept,
                    int64_t n_kept)
{
    static struct reference r;
    struct df_components found;
    double total = 0.0;

    covariance(&r, kept, n_kept, dim);
    diagonalize(&r, dim);
    solve(rows, count, dim, keep, &found);
    assert_int_equal(found.rows, n_kept);
    for (int d = 0; d < dim; d++) {
        assert_true(fabs(found.mean[d] - r.mean[d]) < 1e-9);
        total += r.matrix[d][d];
    }
    assert_true(fabs(found.total_variance - total) < 1e-10 * total);
    for (int k = 0; k < DF_PCA_COMPONENTS; k++) {
        const int column = column_of(&r, dim, k);
        const double sign = sign_of_farthest(r.vectors[column], dim);
        assert_true(fabs(found.variance[k] - r.matrix[column][column]) < 1e-10 * total);
        for (int d = 0; d < dim; d++)
            assert_true(fabs(found.axes[k * dim + d] - sign * r.vectors[column][d]) < 1e-8);
    }
    df_components_free(&found);
}

static void is_the_references(void **state)
{
    static const int dims[] = {3, 4, 8, 13, MAX_DIM};

    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        float *rows = draw_rows(501, dims[i], i);
        compare(rows, 501, dims[i], NULL, rows, 501);
        free(rows);
    }
}

static void rows_can_be_left_out(void **state)
{
    enum { COUNT = 333, DIM = 11 };
    float *rows = draw_rows(COUNT, DIM, 7), kept[COUNT * DIM];
    uint8_t keep[COUNT];
    int64_t n_kept = 0;

    for (int i = 0; i < COUNT; i++) {
        keep[i] = i >= 71 && i % 3 > 0; /* nothing of the first two parts */
        if (keep[i])
            memcpy(kept + DIM * n_kept++, rows + DIM * i, DIM * sizeof *rows);
    }
    compare(rows, COUNT, DIM, keep, kept, n_kept);
    free(rows);
}

static void threads_change_no_bit(void **state)
{
    enum { COUNT = 400, DIM = 61 };
    const int usual = omp_get_max_threads();
    float *rows = draw_rows(COUNT, DIM, 3);
    double axes[DF_PCA_COMPONENTS * DIM];
    float scores[2][COUNT * DF_PCA_COMPONENTS];

    for (int threads = 1; threads <= 4; threads++) {
        struct df_components found;
        omp_set_num_threads(threads);
        solve(rows, COUNT, DIM, NULL, &found);
        df_components_project(&found, rows, COUNT, scores[threads > 1]);
        if (threads > 1) {
            assert_memory_equal(axes, found.axes, sizeof axes);
            assert_memory_equal(scores[0], scores[1], sizeof scores[0]);
        }
        memcpy(axes, found.axes, sizeof axes);
        df_components_free(&found);
    }
    omp_set_num_threads(usual);
    free(rows);
}

static void scores_lie_along_the_axes(void **state)
{
    enum { COUNT = 150, DIM = 9 };
    float *rows = draw_rows(COUNT, DIM, 5), scores[COUNT * DF_PCA_COMPONENTS];
    struct df_components found;

    solve(rows, COUNT, DIM, NULL, &found);
    df_components_project(&found, rows, COUNT, scores);
    for (int k = 0; k < DF_PCA_COMPONENTS; k++) {
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < COUNT; i++) {
            double expected = 0.0;
            for (int d = 0; d < DIM; d++)
                expected += (rows[i * DIM + d] - found.mean[d]) * found.axes[k * DIM + d];
            assert_true(fabs(scores[i * DF_PCA_COMPONENTS + k] - expected) < 1e-4);
            sum += expected;
            squares += expected * expected;
        }
        assert_true(fabs(sum) < 1e-8);
        assert_true(fabs(squares / (COUNT - 1) - found.variance[k]) < 1e-9 * found.total_variance);
    }
    df_components_free(&found);
    free(rows);
}

/* How many axes are left, of length 1; the others are 0 and give scores of 0. */
static void check_rank(const float *rows, int64_t count, int dim, int rank)
{
    struct df_components found;
    float *scores = malloc((size_t)(count + 1) * DF_PCA_COMPONENTS * sizeof *scores);

    solve(rows, count, dim, NULL, &found);
    df_components_project(&found, rows, count, scores);
    for (int k = 0; k < DF_PCA_COMPONENTS; k++) {
        double length = 0.0;
        for (int d = 0; d < dim; d++)
            length += found.axes[k * dim + d] * found.axes[k * dim + d];
        assert_true(fabs(length - (k < rank ? 1.0 : 0.0)) < 1e-12);
        assert_true(k < rank ? found.variance[k] > 0.0 : found.variance[k] == 0.0);
        for (int64_t i = 0; i < count && k >= rank; i++)
            assert_true(scores[i * DF_PCA_COMPONENTS + k] == 0.0f);
    }
    df_components_free(&found);
    free(scores);
}

static void fewer_directions_than_components(void **state)
{
    enum { COUNT = 200, DIM = 20 };
    float rows[COUNT * DIM];

    for (int rank = 0; rank <= 2; rank++) {
        for (int i = 0; i < COUNT; i++)
            for (int d = 0; d < DIM; d++)
                rows[i * DIM + d] = 3.7f * (float)(d + 1) + (rank > 0 ? (float)(i % 17 * (d - 7)) : 0.0f) +
                                    (rank > 1 ? (float)(i % 5 * (d % 3)) : 0.0f);
        check_rank(rows, COUNT, DIM, rank);
    }
}

static void fewer_rows_than_components(void **state)
{
    float *rows = draw_rows(4, 12, 9);

    check_rank(rows, 0, 12, 0);
    check_rank(rows, 1, 12, 0);
    check_rank(rows, 2, 12, 1);
    check_rank(rows, 3, 12, 2);
    check_rank(rows, 4, 12, 3);
    free(rows);
}

static void refuses_what_has_no_components(void **state)
{
    float *rows = draw_rows(30, 5, 2);
    struct df_components found;

    assert_null(df_pca_new(2));
    assert_error_has("2 numbers");
    rows[77] = NAN;
    struct df_pca *pca = df_pca_new(5);
    df_pca_add(pca, rows, 30, NULL);
    assert_int_equal(df_pca_solve(pca, &found), -1);
    assert_error_has("not numbers");
    df_components_free(&found);
    df_pca_free(pca);
    df_pca_free(NULL);
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_references),
        cmocka_unit_test(rows_can_be_left_out),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(scores_lie_along_the_axes),
        cmocka_unit_test(fewer_directions_than_components),
        cmocka_unit_test(fewer_rows_than_components),
        cmocka_unit_test(refuses_what_has_no_components),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
