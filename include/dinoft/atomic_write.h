/* Files that appear whole or not at all: a temporary file in the same folder (temporary.h), fsync, rename,
 * fsync of the folder. */
#ifndef DINOFT_ATOMIC_WRITE_H
#define DINOFT_ATOMIC_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct df_atomic_file;

/* Creates the temporary file. NULL with the error set. An existing PATH stays untouched until the commit. */
struct df_atomic_file *df_atomic_open(const char *path);

/* Where to write. */
FILE *df_atomic_stream(struct df_atomic_file *file);

/* Flushes, renames and frees. On failure (a full disk, …) the error is set, the old file is whole, no
 * temporary is left. */
int df_atomic_commit(struct df_atomic_file *file);

/* Removes the temporary file and frees; NULL is allowed. Keeps the error text. */
void df_atomic_abort(struct df_atomic_file *file);

/* All in one: open, write size bytes, commit. */
int df_atomic_write(const char *path, const void *bytes, size_t size);

/* fsync, which does nothing on a file system without it. 0, or -1 with errno. */
int df_sync(int descriptor);

/* mkdir -p. What it makes and stays empty goes with the process (dinoft/cleanup.h). */
int df_make_folder(const char *path);

/* Succeeds if a file can be created in the folder (made if missing), trying it; for checks before long work.
 * What killed writers left in the folder is removed: here, once a run, since looking for it takes time in
 * folders of many files. */
int df_check_writable(const char *folder);

/* The same for a file that will be written: its folder takes files (made if missing), and what has its name
 * already, if anything, is a regular file. */
int df_check_writable_file(const char *path);

/* -1 with the error set if `output` is the very file `input`, whatever paths lead to it. input may be NULL.
 */
int df_check_other_file(const char *output, const char *input);

#endif
