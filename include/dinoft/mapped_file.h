/* A whole file mapped read-only, so that only the pages that are read cost memory. */
#ifndef DINOFT_MAPPED_FILE_H
#define DINOFT_MAPPED_FILE_H

#include <stddef.h>

struct df_mapping {
    const unsigned char *bytes;
    size_t size;
};

/* NULL with the error set ("cannot open PATH: …") if there is no such regular file. An empty file has size 0.
 */
struct df_mapping *df_mapping_open(const char *path);
void df_mapping_close(struct df_mapping *mapping);

#endif
