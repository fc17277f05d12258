/* The first principal components of many rows that come a block at a time: what sklearn.decomposition.PCA
 * finds, from sums in float64 whose order does not depend on the number of threads. */
#ifndef DINOFT_PCA_H
#define DINOFT_PCA_H

#include <stdint.h>

#define DF_PCA_COMPONENTS 3

/* The sums behind a mean and a covariance: dim * dim numbers, however many rows there are. */
struct df_pca;

/* For rows of dim numbers, at least DF_PCA_COMPONENTS. NULL with the error set. */
struct df_pca *df_pca_new(int64_t dim);
void df_pca_free(struct df_pca *pca);

/* rows: float32 [count, dim]. keep: [count], those of 0 are left out; NULL: none is. */
void df_pca_add(struct df_pca *pca, const float *rows, int64_t count, const uint8_t *keep);

struct df_components {
    int64_t dim, rows;
    double *mean; /* [dim] */
    double *axes; /* [DF_PCA_COMPONENTS, dim]: orthogonal, of length 1, the largest variance first */
    double variance[DF_PCA_COMPONENTS]; /* along each, with rows - 1 as the divisor */
    double total_variance;              /* along all dim of them */
};

/* The components of all rows that were added; uses up the sums, so that nothing can be done with pca
 * afterwards but to free it. The element of an axis that is the farthest from 0 is positive (scikit-learn's
 * convention since 1.5). Axes along which the rows do not differ, but for rounding, are 0: there are some if
 * there are fewer than four rows. -1 with the error set, also for rows that are not numbers; free it in
 * either case. */
int df_pca_solve(struct df_pca *pca, struct df_components *components);
void df_components_free(struct df_components *components);

/* scores float32 [count, DF_PCA_COMPONENTS] = (row - mean) along each axis, of rows float32 [count, dim]. */
void df_components_project(const struct df_components *components, const float *rows, int64_t count,
                           float *scores);

#endif
