/* Clusters of many rows by k-means: k-means++ with several tries for each centre (Arthur, Vassilvitskii,
 * "k-means++: the advantages of careful seeding", 2007) and Lloyd's iteration, begun anew a few times, of
 * which the best is kept. The same rows and seed give the same clusters, whatever the number of threads. */
#ifndef DINOFT_KMEANS_H
#define DINOFT_KMEANS_H

#include <stdbool.h>
#include <stdint.h>

#define DF_MAX_CLUSTERS 255 /* their numbers fit the bytes of a mask */

struct df_clusters {
    int64_t dim;
    int count;
    bool by_direction; /* a row counts as if its length was 1, and so do the centres (spherical k-means) */
    float *centers;    /* [count, dim], that of the most rows first */
    double inertia;    /* the sum of the rows' squared distances from their centres; by direction it is twice
                          the sum of 1 - cosine similarity */
};

/* rows: float32 [n_rows, dim]; by direction they are scaled to length 1 in place. count: 1 to
 * DF_MAX_CLUSTERS. -1 with the error set: fewer different rows than clusters, rows that are not finite, by
 * direction rows of zeros. Free it in either case. */
int df_clusters_fit(struct df_clusters *clusters, float *rows, int64_t n_rows, int64_t dim, int count,
                    bool by_direction, uint64_t seed);
void df_clusters_free(struct df_clusters *clusters);

/* distances [n_rows, count]: squared, of each row from each centre. By direction the rows are scaled in
 * place. Uses the calling thread alone. */
void df_clusters_distances(const struct df_clusters *clusters, float *rows, int64_t n_rows, float *distances);

#endif
