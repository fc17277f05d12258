/* A folder of its own for each test program, below the one it runs in. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

/* Makes the folder, once; the same text at each call. */
const char *scratch_folder(void);

/* The same as a setup, where child processes are to find it. */
int scratch_make(void **state);

/* Removes it with all that is in it: a group's teardown. */
int scratch_remove(void **state);

/* How many files and folders are in it. */
int scratch_count(void);

/* SCRATCH/NAME in a buffer of its own for each of the last eight calls; folders on the way are made. */
const char *scratch_path(const char *name);

/* With plain stdio. The path, of scratch_path(). */
const char *scratch_write(const char *name, const void *bytes, size_t size);
const char *scratch_write_text(const char *name, const char *text);

/* The caller frees. */
unsigned char *read_whole(const char *path, size_t *size);

/* 64-bit FNV-1a of bytes. */
uint64_t hash_bytes(const void *bytes, size_t size);

#endif
