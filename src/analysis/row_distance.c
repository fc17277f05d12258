/* The differences are squared as they are: with products and lengths instead, what is small of large rows
 * would be lost. */
#include "row_distance.h"

#include "dinoft/multiversion.h"

#include <math.h>

enum { LANES = 16 }; /* sums that vectors hold; their order is the same on every machine */

DF_INLINE float square_distance(const float *restrict a, const float *restrict b, int64_t dim)
{
    float lanes[LANES] = {0.0f}, sum = 0.0f;
    int64_t d = 0;

    for (; d + LANES <= dim; d += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            const float difference = a[d + lane] - b[d + lane];
            lanes[lane] += difference * difference;
        }
    }
    for (; d < dim; d++)
        sum += (a[d] - b[d]) * (a[d] - b[d]);
    for (int lane = 0; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

DF_MULTIVERSION void df_row_distances(const float *rows, int64_t n_rows, const float *centers,
                                      int64_t n_centers, int64_t dim, float *distances)
{
    for (int64_t i = 0; i < n_rows; i++)
        for (int64_t k = 0; k < n_centers; k++)
            distances[i * n_centers + k] = square_distance(rows + i * dim, centers + k * dim, dim);
}

int64_t df_rows_normalize(float *rows, int64_t n_rows, int64_t dim)
{
    int64_t without = 0;

    for (int64_t i = 0; i < n_rows; i++) {
        float *row = rows + i * dim;
        double square = 0.0;
        for (int64_t d = 0; d < dim; d++)
            square += (double)row[d] * row[d];
        if (!(square > 0.0) || !isfinite(square)) {
            without++;
            continue;
        }
        const double scale = 1.0 / sqrt(square);
        for (int64_t d = 0; d < dim; d++)
            row[d] = (float)(row[d] * scale);
    }
    return without;
}
