/* The middle of measurements, which one slow step does not move. */
#ifndef DINOFT_MEDIAN_H
#define DINOFT_MEDIAN_H

#include <stddef.h>

/* Sorts the values, smallest first, and returns the middle one, or the mean of the two in the middle. count
 * is at least 1. */
double df_median(double *values, size_t count);

#endif
