/* Loaded before a program's libraries (LD_PRELOAD): the disk is full when the DINOFT_FULL_DISK-th file is
 * flushed to it, and has room again for the later ones. Standard error has a line when that came. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int flushed;

/* Folders are flushed as well, and take no room. Whether anything gets to the disk is no matter here. */
int fsync(int descriptor)
{
    const char *const number = getenv("DINOFT_FULL_DISK");
    struct stat facts;

    if (!number || fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) ||
        atomic_fetch_add(&flushed, 1) + 1 != atoi(number))
        return 0;
    dprintf(STDERR_FILENO, "the disk is full\n");
    errno = ENOSPC;
    return -1;
}
