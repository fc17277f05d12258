/* The loader's own speed. */
#ifndef DINOFT_BENCH_LOADER_H
#define DINOFT_BENCH_LOADER_H

#include "dinoft/config.h"

#include <signal.h>

/* Reads --steps batches of the training images, prints how many images a second that were, and writes it to
 * --json. Ends early, with nothing said, when *stop is set. -1 with the error set. */
int bench_loader(const struct df_config *config, const volatile sig_atomic_t *stop);

#endif
