/* The routines of LAPACK that are called, under the names and with the arguments that Fortran compilers give
 * them: everything by its address, and at the end the lengths of the texts. LAPACKE, which wraps them for C,
 * would load two more libraries at every start of the program, for one routine. Private to src/analysis. */
#ifndef DINOFT_LAPACK_H
#define DINOFT_LAPACK_H

#include <stddef.h>

/* Eigenvalues w and eigenvectors z of the symmetric a [n, n], which is overwritten. lwork = -1 asks for the
 * sizes of work and iwork instead, which come in their first elements. */
void dsyevr_(const char *jobz, const char *range, const char *uplo, const int *n, double *a, const int *lda,
             const double *vl, const double *vu, const int *il, const int *iu, const double *abstol, int *m,
             double *w, double *z, const int *ldz, int *isuppz, double *work, const int *lwork, int *iwork,
             const int *liwork, int *info, size_t jobz_length, size_t range_length, size_t uplo_length);

/* The library's version. */
void ilaver_(int *major, int *minor, int *patch);

#endif
