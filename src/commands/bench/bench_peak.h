/* The fastest matrix product of this machine, which others are measured by. */
#ifndef DINOFT_BENCH_PEAK_H
#define DINOFT_BENCH_PEAK_H

#include "dinoft/backend.h"

/* Raises *peak to the FLOP/s of the fastest of a few products in the backend's compute type, if they beat it.
 */
int bench_measure_peak(struct df_backend *backend, double *peak);

#endif
