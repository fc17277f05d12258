/* What the tests of files share: a folder to write in, files damaged by the hundred, states compared. */
#ifndef TESTS_FILE_SUPPORT_H
#define TESTS_FILE_SUPPORT_H

#include "support/cmocka_all.h"

#include "dinoft/mapped_file.h"
#include "dinoft/state.h"

/* Group setup and teardown: makes a folder, and removes it with the files in it. */
int make_scratch(void **state);
int remove_scratch(void **state);

/* Path of a file in that folder; a static buffer of four, so that a few can be in use at once. */
const char *scratch(const char *name);

/* How many files are in it. */
int scratch_count(void);

/* Writes a file there, with plain stdio. Returns its path. */
const char *put_file(const char *name, const void *bytes, size_t size);

struct df_mapping *open_or_fail(const char *path);

/* Both have the same entries, byte for byte, in the same order. */
void assert_states_equal(const struct df_state *a, const struct df_state *b);

/* Reads the weight file cut off at `step` bytes, 2 * step, …, then with each step-th byte changed in several
 * ways. Every read must end in a state or in an error text that names the file, and that of a cut file in an
 * error.
 */
void read_damaged(const char *path, size_t step);

#endif
