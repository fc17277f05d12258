/* Files of a user's own data, and the samples that they make. */
#ifndef TESTS_DATA_LAYOUT_FILES_H
#define TESTS_DATA_LAYOUT_FILES_H

#include "dinoft/dataset.h"

/* Makes an empty file SCRATCH/ROOT/FOLDERNAMEENDING. */
void layout_file(const char *root, const char *folder, const char *name, const char *ending);

/* "b,a": the samples' names in their order; valid until the next call. The data set must open. */
const char *layout_names(const struct df_dataset_options *options);

/* It does not, with these words in the error. */
void layout_refused(const struct df_dataset_options *options, const char *words);

#endif
