/* What the fuzz targets share. A target is one small file that hands its input to a reader and uses a little
 * of what the reader accepts, so that what is wrong in it shows. docs/design/tests.md says how one is added.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "dinoft/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target. libFuzzer calls it for each input, and so does replay.c. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with a line when a condition that the reader promises does not hold. */
void fuzz_check(bool holds, const char *promise);

/* A name in the process's own folder, which lies in memory where there is such a place: in $TMPDIR, else
 * /dev/shm, else /tmp. Folders in the name are made. The path stays valid for the process's life if `path`
 * does. */
#define FUZZ_PATH_MAX 512
const char *fuzz_path(const char *name, char path[FUZZ_PATH_MAX]);

/* Writes the input to that file. */
void fuzz_write(const char *path, const void *data, size_t size);

/* Reads every byte. */
void fuzz_touch(const void *bytes, size_t size);

/* Reads every name, text and tensor, and hands the state on as a backbone or as a checkpoint. Frees it. */
void fuzz_use_weights(struct df_state *state);

/* Before a reader is called: there is no error. After it failed: there is one, in one line. */
void fuzz_forget_error(void);
void fuzz_check_error(void);

#endif
