/* Opening a file to read all of it, by a mapping or by reading. */
#ifndef DINOFT_FILES_OPEN_FILE_H
#define DINOFT_FILES_OPEN_FILE_H

#include <stdint.h>

/* A descriptor of the regular file, and its size. -1 with the error set ("cannot open PATH: …"). */
int df_open_regular(const char *path, int64_t *size);

#endif
