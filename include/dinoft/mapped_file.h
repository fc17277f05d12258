/* A whole file mapped read-only, so that only the pages that are read cost memory: for weights. What others
 * may rewrite while a run goes on is read instead (file_bytes.h).
 *
 * Where a mapped file is shortened, or its disk or network fails, reading its memory ends the process: with
 * one error line that names the file, exit status 1, and temporaries removed (cleanup.h). The system tells of
 * it by SIGBUS, whose handler the first mapping installs; a SIGBUS from elsewhere is left to what was there
 * before. A thread that blocks SIGBUS must not read a mapping. */
#ifndef DINOFT_MAPPED_FILE_H
#define DINOFT_MAPPED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct df_mapping {
    const unsigned char *bytes;
    size_t size;
};

/* NULL with the error set ("cannot open PATH: …") if there is no such regular file, or if 64 files are mapped
 * already. An empty file has size 0. */
struct df_mapping *df_mapping_open(const char *path);
void df_mapping_close(struct df_mapping *mapping);

/* Has a few more megabytes brought to memory: the bytes from *done on, which starts at 0 and moves on. false
 * where there are none left, or no mapping (NULL). */
bool df_mapping_read_ahead(const struct df_mapping *mapping, size_t *done);

/* fwrite for bytes that may lie in a mapping; false with errno set where not all was written. The system
 * reads such bytes without a SIGBUS, and a failure of the mapped file would look like one of the stream's. */
bool df_mapped_write(FILE *stream, const void *bytes, size_t size);

#endif
