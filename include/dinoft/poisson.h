/* Counts of a Poisson distribution, drawn by Walker's alias method (1977): one random number, one comparison
 * and one look into a table each, whatever the mean. Probabilities are exact to 2^-32. */
#ifndef DINOFT_POISSON_H
#define DINOFT_POISSON_H

#include "dinoft/rng.h"

#define DF_POISSON_MOST 1023

/* e^-mean, from which the table is computed, is far above underflow. */
#define DF_POISSON_LARGEST_MEAN 500.0

/* Every column is as likely; it stands for its own number with the probability share / 2^32, or else for the
 * other. */
struct df_poisson_column {
    uint32_t share, other;
};

struct df_poisson {
    int bits;
    struct df_poisson_column *columns; /* [2^bits] */
};

/* mean: 0 .. DF_POISSON_LARGEST_MEAN. most: 1 .. DF_POISSON_MOST, is drawn for itself and everything above.
 * -1 with the error set: no memory; close it in either case. */
int df_poisson_open(struct df_poisson *poisson, double mean, int most);
void df_poisson_close(struct df_poisson *poisson);

/* 0 .. most. */
int df_poisson_draw(const struct df_poisson *poisson, struct df_rng *rng);

#endif
