/* A whole file read into memory, for what is used once and may be rewritten by others meanwhile: images,
 * masks, lists, results of earlier runs. Unlike a mapping (mapped_file.h), a file that is shortened or cannot
 * be read is an error as any other. */
#ifndef DINOFT_FILE_BYTES_H
#define DINOFT_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define DF_FILE_BYTES_MAX ((int64_t)1 << 32) /* of a file that is accepted */

struct df_file_bytes {
    unsigned char *bytes; /* never NULL after success */
    size_t size;
};

/* -1 with the error set ("cannot open PATH: …", "cannot read PATH: …") if there is no such regular file, it
 * is larger than DF_FILE_BYTES_MAX, or it has not the same size at the end of the reading as at its start.
 * Nothing is to be freed then. */
int df_file_bytes_read(const char *path, struct df_file_bytes *file);

/* Frees the bytes and clears the struct. */
void df_file_bytes_free(struct df_file_bytes *file);

#endif
