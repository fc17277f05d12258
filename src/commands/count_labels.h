/* What labels all masks of a data set hold. */
#ifndef DINOFT_COMMANDS_COUNT_LABELS_H
#define DINOFT_COMMANDS_COUNT_LABELS_H

#include "dinoft/dataset.h"

/* Reads the masks that nobody has read yet, on so many threads (0: one a core) and behind a progress bar, so
 * that the set's census holds them all; after Ctrl-C only some. -1 with the error set. */
int count_labels(const struct df_dataset *set, int64_t threads);

#endif
