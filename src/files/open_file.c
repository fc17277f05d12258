#include "open_file.h"

#include "dinoft/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(int descriptor, const char *path, int64_t *size)
{
    struct stat status;

    if (fstat(descriptor, &status) != 0)
        return df_error_set("cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return df_error_set("cannot open %s: %s", path,
                            S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
    *size = status.st_size;
    return 0;
}

int df_open_regular(const char *path, int64_t *size)
{
    /* O_NONBLOCK: opening a pipe that nobody writes to must not hang. */
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor < 0)
        return df_error_set("cannot open %s: %s", path, strerror(errno));
    if (check(descriptor, path, size) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}
