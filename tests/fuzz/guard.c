/* Under AddressSanitizer, a byte behind the end of a mapped file is as much an error as one behind an
 * allocation: the system fills the file's last page with zeros, which a reader could take for a part of it
 * without being noticed.
 *
 * The linker puts these in the place of the system's calls (--wrap). */
#include "support/asan.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

void *__real_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset);
int __real_munmap(void *address, size_t length);
void *__wrap_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset);
int __wrap_munmap(void *address, size_t length);

static size_t rest_of_page(size_t length)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (page - length % page) % page;
}

void *__wrap_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset)
{
    char *bytes = __real_mmap(address, length, protection, flags, file, offset);

    if (bytes != MAP_FAILED && file >= 0)
        ASAN_POISON_MEMORY_REGION(bytes + length, rest_of_page(length));
    return bytes;
}

int __wrap_munmap(void *address, size_t length)
{
    ASAN_UNPOISON_MEMORY_REGION((char *)address + length, rest_of_page(length));
    return __real_munmap(address, length);
}
