#include "dinoft/mapped_file.h"

#include "dinoft/error.h"
#include "map_fault.h"
#include "open_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIECE 65536 /* bytes that are copied at a time */
#define AHEAD ((size_t)4 << 20)
#define PAGE  4096 /* bytes, at most what a page has */

static int map_descriptor(struct df_mapping *mapping, int descriptor, int64_t size, const char *path)
{
    if ((uintmax_t)size > SIZE_MAX)
        return df_error_set("cannot open %s: it is too large for this machine's addresses", path);
    mapping->size = (size_t)size;
    mapping->bytes = (const unsigned char *)"";
    if (mapping->size == 0) /* mmap refuses a length of 0 */
        return 0;
    void *bytes = mmap(NULL, mapping->size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return df_error_set("cannot map %s: %s", path, strerror(errno));
    mapping->bytes = bytes;
    if (df_map_fault_watch(bytes, mapping->size, path) == 0)
        return 0;
    munmap(bytes, mapping->size);
    return -1;
}

struct df_mapping *df_mapping_open(const char *path)
{
    struct df_mapping *mapping = malloc(sizeof *mapping);
    int64_t size;

    if (!mapping) {
        df_error_memory("a mapping", sizeof *mapping);
        return NULL;
    }
    const int descriptor = df_open_regular(path, &size);
    const int status = descriptor < 0 ? -1 : map_descriptor(mapping, descriptor, size, path);
    if (descriptor >= 0)
        close(descriptor);
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
    if (mapping->size) {
        df_map_fault_forget(mapping->bytes);
        munmap((void *)(uintptr_t)mapping->bytes, mapping->size);
    }
    free(mapping);
}

bool df_mapping_read_ahead(const struct df_mapping *mapping, size_t *done)
{
    if (!mapping || *done >= mapping->size)
        return false;
    const volatile unsigned char *bytes = mapping->bytes;
    const size_t end = mapping->size - *done < AHEAD ? mapping->size : *done + AHEAD;
    for (; *done < end; *done += PAGE)
        (void)bytes[*done];
    return true;
}

bool df_mapped_write(FILE *stream, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    unsigned char piece[PIECE];

    for (size_t done = 0; done < size;) {
        const size_t count = size - done < PIECE ? size - done : PIECE;
        memcpy(piece, from + done, count);
        if (fwrite(piece, 1, count, stream) != count)
            return false;
        done += count;
    }
    return true;
}
