/* Squared distances of rows from each other. Private to src/analysis. */
#ifndef DINOFT_ROW_DISTANCE_H
#define DINOFT_ROW_DISTANCE_H

#include <stdint.h>

/* distances [n_rows, n_centers] of rows [n_rows, dim] from centers [n_centers, dim]. */
void df_row_distances(const float *rows, int64_t n_rows, const float *centers, int64_t n_centers, int64_t dim,
                      float *distances);

/* Scales the rows to length 1; the number of those that have none, as they are 0 or not finite. */
int64_t df_rows_normalize(float *rows, int64_t n_rows, int64_t dim);

#endif
