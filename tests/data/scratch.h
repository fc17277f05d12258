/* A folder of its own for each test program, below the one it runs in. */
#ifndef TESTS_DATA_SCRATCH_H
#define TESTS_DATA_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

/* Makes the folder, once; the same text at each call. Removed by scratch_remove(). */
const char *scratch_folder(void);
void scratch_remove(void);

/* SCRATCH/NAME in a buffer of its own for each of the last eight calls; folders on the way are made. */
const char *scratch_path(const char *name);

void scratch_write(const char *name, const void *bytes, size_t size);
void scratch_write_text(const char *name, const char *text);
unsigned char *read_whole(const char *path, size_t *size);

/* 64-bit FNV-1a of bytes. */
uint64_t hash_bytes(const void *bytes, size_t size);

/* A small RGB image and a mask whose values are all `label`. */
void scratch_image(const char *name, int width, int height, int shade);
void scratch_mask(const char *name, int width, int height, int label);

/* The error text contains the words, or the test fails and shows it. */
void assert_error_has(const char *words);

#endif
