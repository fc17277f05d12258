#include "dinoft/mapped_file.h"

#include "dinoft/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map_descriptor(struct df_mapping *mapping, int descriptor, const char *path)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return df_error_set("cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return df_error_set("cannot open %s: %s", path,
                            S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
    if ((uintmax_t)status.st_size > SIZE_MAX)
        return df_error_set("cannot open %s: it is too large for this machine's addresses", path);
    mapping->size = (size_t)status.st_size;
    mapping->bytes = (const unsigned char *)"";
    if (mapping->size == 0) /* mmap refuses a length of 0 */
        return 0;
    void *bytes = mmap(NULL, mapping->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return df_error_set("cannot map %s: %s", path, strerror(errno));
    mapping->bytes = bytes;
    return 0;
}

struct df_mapping *df_mapping_open(const char *path)
{
    struct df_mapping *mapping = malloc(sizeof *mapping);
    if (!mapping) {
        df_error_memory("a mapping", sizeof *mapping);
        return NULL;
    }
    /* O_NONBLOCK: opening a pipe that nobody writes to must not hang. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int status = 0;
    if (descriptor < 0) {
        status = df_error_set("cannot open %s: %s", path, strerror(errno));
    } else {
        status = map_descriptor(mapping, descriptor, path);
        close(descriptor);
    }
    if (status != 0) {
        free(mapping);
        return NULL;
    }
    return mapping;
}

void df_mapping_close(struct df_mapping *mapping)
{
    if (!mapping)
        return;
    if (mapping->size)
        munmap((void *)(uintptr_t)mapping->bytes, mapping->size);
    free(mapping);
}
