/* Covariance from sums of products of shifted rows (the shift keeps them small, so that nothing cancels; see
 * Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983), eigenvectors from LAPACK. */
#include "dinoft/pca.h"

#include "lapack.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 64, /* rows that are widened at once; they stay in the cache */
    TILE_ROWS = 4,
    TILE_COLUMNS = 8, /* of the sums of products, which stay in registers */
};

struct df_pca {
    int64_t dim, columns; /* columns: dim up to a whole tile */
    int64_t rows;
    double *shift;    /* [columns]: the mean of the rows that came first */
    double *sums;     /* [columns] of row - shift */
    double *products; /* [columns, columns] of (row - shift) (row - shift)^T, the upper triangle */
    double *block;    /* [BLOCK, columns] */
};

struct df_pca *df_pca_new(int64_t dim)
{
    const int64_t columns = (dim + TILE_COLUMNS - 1) / TILE_COLUMNS * TILE_COLUMNS;
    const int64_t shape[2] = {columns, columns};
    size_t count;

    if (dim < DF_PCA_COMPONENTS) {
        df_error_set("%d principal components of features of %lld numbers: there are no more than those",
                     DF_PCA_COMPONENTS, (long long)dim);
        return NULL;
    }
    struct df_pca *pca = calloc(1, sizeof *pca);
    if (pca && df_shape_count(shape, 2, &count)) {
        pca->dim = dim;
        pca->columns = columns;
        pca->shift = calloc((size_t)columns, sizeof *pca->shift);
        pca->sums = calloc((size_t)columns, sizeof *pca->sums);
        pca->products = calloc(count, sizeof *pca->products);
        pca->block = calloc((size_t)columns, BLOCK * sizeof *pca->block);
        if (pca->shift && pca->sums && pca->products && pca->block)
            return pca;
    }
    df_error_memory("a covariance matrix",
                    (unsigned long long)columns * (unsigned long long)columns * sizeof(double));
    df_pca_free(pca);
    return NULL;
}

void df_pca_free(struct df_pca *pca)
{
    if (!pca)
        return;
    free(pca->shift);
    free(pca->sums);
    free(pca->products);
    free(pca->block);
    free(pca);
}

/* Whatever it is, the result is the same but for rounding; near the mean rounding is the least. */
static void choose_shift(struct df_pca *pca, const float *rows, int64_t count, const uint8_t *keep)
{
    int64_t kept = 0;

    for (int64_t i = 0; i < count; i++) {
        if (keep && !keep[i])
            continue;
        kept++;
        for (int64_t d = 0; d < pca->dim; d++)
            pca->shift[d] += rows[i * pca->dim + d];
    }
    for (int64_t d = 0; d < pca->dim && kept > 0; d++)
        pca->shift[d] /= (double)kept;
}

/* products += block^T block, in the order of the rows for each of them. */
static void add_tile(double *restrict products, const double *restrict left, const double *restrict right,
                     int64_t rows, int64_t columns)
{
    double sums[TILE_ROWS][TILE_COLUMNS];

    for (int i = 0; i < TILE_ROWS; i++)
        memcpy(sums[i], products + i * columns, sizeof sums[i]);
    for (int64_t row = 0; row < rows; row++) {
        for (int i = 0; i < TILE_ROWS; i++)
            for (int j = 0; j < TILE_COLUMNS; j++)
                sums[i][j] += left[row * columns + i] * right[row * columns + j];
    }
    for (int i = 0; i < TILE_ROWS; i++)
        memcpy(products + i * columns, sums[i], sizeof sums[i]);
}

static void add_block(struct df_pca *pca, int64_t rows)
{
    const int64_t columns = pca->columns;

    for (int64_t row = 0; row < rows; row++)
        for (int64_t d = 0; d < columns; d++)
            pca->sums[d] += pca->block[row * columns + d];
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < columns; i += TILE_ROWS) {
        for (int64_t j = i / TILE_COLUMNS * TILE_COLUMNS; j < columns; j += TILE_COLUMNS)
            add_tile(pca->products + i * columns + j, pca->block + i, pca->block + j, rows, columns);
    }
    pca->rows += rows;
}

void df_pca_add(struct df_pca *pca, const float *rows, int64_t count, const uint8_t *keep)
{
    int64_t filled = 0;

    if (pca->rows == 0)
        choose_shift(pca, rows, count, keep);
    for (int64_t i = 0; i < count; i++) {
        if (keep && !keep[i])
            continue;
        for (int64_t d = 0; d < pca->dim; d++)
            pca->block[filled * pca->columns + d] = (double)rows[i * pca->dim + d] - pca->shift[d];
        if (++filled == BLOCK) {
            add_block(pca, filled);
            filled = 0;
        }
    }
    if (filled > 0)
        add_block(pca, filled);
}

/* Turns products into the covariance, and its trace. */
static double make_covariance(struct df_pca *pca)
{
    const double rows = (double)pca->rows;
    double trace = 0.0;

    for (int64_t i = 0; i < pca->dim; i++) {
        double *line = pca->products + i * pca->columns;
        for (int64_t j = i; j < pca->dim; j++)
            line[j] = pca->rows < 2 ? 0.0 : (line[j] - pca->sums[i] / rows * pca->sums[j]) / (rows - 1.0);
        trace += line[i];
    }
    return trace;
}

static void point_upwards(double *axis, int64_t dim)
{
    int64_t farthest = 0;

    for (int64_t d = 1; d < dim; d++)
        if (fabs(axis[d]) > fabs(axis[farthest]))
            farthest = d;
    if (axis[farthest] < 0.0) {
        for (int64_t d = 0; d < dim; d++)
            axis[d] = -axis[d];
    }
}

/* axes: [DF_PCA_COMPONENTS, dim], with their variances the least first. */
static void take_axes(struct df_components *components, const double *variances, const double *axes)
{
    const int64_t dim = components->dim;
    double square = 0.0;

    for (int64_t d = 0; d < dim; d++)
        square += components->mean[d] * components->mean[d];
    /* Variances below this are what rounding makes of nothing. */
    const double noise = DBL_EPSILON * (double)dim * (components->total_variance + square);
    for (int k = 0; k < DF_PCA_COMPONENTS; k++) {
        const int from = DF_PCA_COMPONENTS - 1 - k;
        if (!(variances[from] > noise))
            continue;
        double *axis = components->axes + k * dim;
        memcpy(axis, axes + from * dim, (size_t)dim * sizeof *axis);
        point_upwards(axis, dim);
        components->variance[k] = variances[from];
    }
}

/* The last eigenvalues of the covariance, the least first, and their eigenvectors. A count of -1 asks for the
 * counts, which come in work[0] and iwork[0]. */
static int call_dsyevr(struct df_pca *pca, double *variances, double *axes, double *work, int work_count,
                       int *iwork, int iwork_count)
{
    const int n = (int)pca->dim, columns = (int)pca->columns, first = n - DF_PCA_COMPONENTS + 1;
    const int expected = work_count < 0 ? 0 : DF_PCA_COMPONENTS;
    const double unused = 0.0, tolerance = 0.0;
    int found = 0, support[2 * DF_PCA_COMPONENTS], info;

    /* The upper triangle row by row is the lower one column by column. */
    dsyevr_("V", "I", "L", &n, pca->products, &columns, &unused, &unused, &first, &n, &tolerance, &found,
            variances, axes, &n, support, work, &work_count, iwork, &iwork_count, &info, 1, 1, 1);
    if (info == 0 && found == expected)
        return 0;
    return df_error_set("LAPACK's dsyevr found %d of %d principal components (code %d)", found, expected,
                        info);
}

static int find_axes(struct df_pca *pca, struct df_components *components)
{
    const size_t dim = (size_t)pca->dim;
    double *variances = malloc(dim * sizeof *variances), *work = NULL, work_count;
    double *axes = malloc(dim * DF_PCA_COMPONENTS * sizeof *axes);
    int *iwork = NULL, iwork_count;
    int status = -1;

    if (!variances || !axes) {
        df_error_memory("principal components", (DF_PCA_COMPONENTS + 1) * dim * sizeof *axes);
        goto done;
    }
    if (call_dsyevr(pca, variances, axes, &work_count, -1, &iwork_count, -1) != 0)
        goto done;
    work = malloc((size_t)work_count * sizeof *work);
    iwork = malloc((size_t)iwork_count * sizeof *iwork);
    if (!work || !iwork) {
        df_error_memory("eigenvectors", (unsigned long long)work_count * sizeof *work);
        goto done;
    }
    if (call_dsyevr(pca, variances, axes, work, (int)work_count, iwork, iwork_count) != 0)
        goto done;
    take_axes(components, variances, axes);
    status = 0;
done:
    free(variances);
    free(axes);
    free(work);
    free(iwork);
    return status;
}

int df_pca_solve(struct df_pca *pca, struct df_components *components)
{
    const size_t dim = (size_t)pca->dim;

    memset(components, 0, sizeof *components);
    components->dim = pca->dim;
    components->rows = pca->rows;
    components->mean = calloc(dim, sizeof(double));
    components->axes = calloc(dim, DF_PCA_COMPONENTS * sizeof(double));
    if (!components->mean || !components->axes)
        return df_error_memory("principal components", (DF_PCA_COMPONENTS + 1) * dim * sizeof(double));
    for (size_t d = 0; d < dim && pca->rows > 0; d++)
        components->mean[d] = pca->shift[d] + pca->sums[d] / (double)pca->rows;
    components->total_variance = make_covariance(pca);
    if (!isfinite(components->total_variance))
        return df_error_set("there are no principal components: some of the features are not numbers");
    return find_axes(pca, components);
}

void df_components_free(struct df_components *components)
{
    free(components->mean);
    free(components->axes);
    memset(components, 0, sizeof *components);
}

void df_components_project(const struct df_components *components, const float *rows, int64_t count,
                           float *scores)
{
    const int64_t dim = components->dim;

#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < count; i++) {
        double sums[DF_PCA_COMPONENTS] = {0.0};
        for (int64_t d = 0; d < dim; d++) {
            const double value = (double)rows[i * dim + d] - components->mean[d];
            for (int k = 0; k < DF_PCA_COMPONENTS; k++)
                sums[k] += value * components->axes[k * dim + d];
        }
        for (int k = 0; k < DF_PCA_COMPONENTS; k++)
            scores[i * DF_PCA_COMPONENTS + k] = (float)sums[k];
    }
}
