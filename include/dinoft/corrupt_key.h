/* What the cells of a corruption run depend on. */
#ifndef DINOFT_CORRUPT_KEY_H
#define DINOFT_CORRUPT_KEY_H

#include "dinoft/measure.h"

#define DF_CORRUPT_KEY_LENGTH 17 /* 16 hexadecimal digits and the end */

/* A digest of the model, the images and every setting that changes a number; not of the corruptions and
 * severities, which name the cells themselves. Reads the data set's files. Before df_measure_start. -1 with
 * the error set. */
int df_corrupt_key(const struct df_measure *measure, const char *suite, uint64_t seed,
                   char key[DF_CORRUPT_KEY_LENGTH]);

#endif
