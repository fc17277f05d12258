/* What the tests of files share: weight files read, damaged by the hundred, states compared. */
#ifndef TESTS_FILE_SUPPORT_H
#define TESTS_FILE_SUPPORT_H

#include "support/cmocka_all.h"

#include "dinoft/mapped_file.h"
#include "dinoft/state.h"

/* The test fails where it cannot be opened; where it is no weight file. */
struct df_mapping *open_or_fail(const char *path);
struct df_state *read_weights(const char *path);

/* A weight file whose reading ends in an error that holds these words and the path. */
void assert_weights_refused(const char *path, const char *error);

/* Both have the same entries, byte for byte, in the same order. */
void assert_states_equal(const struct df_state *a, const struct df_state *b);

/* Whether it is a weight file, every byte of which is read then. Otherwise the error is a line that names the
 * file. */
bool read_throughout(const char *path);

/* Does that with the weight file cut off at `step` bytes, 2 * step, …, which must be none, then with each
 * step-th byte changed in several ways. */
void read_damaged(const char *path, size_t step);

#endif
