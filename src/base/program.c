#include "dinoft/program.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *df_program_prefix(void)
{
    static const char link[] = "/proc/self/exe";
    char path[PATH_MAX];
    const ssize_t length = readlink(link, path, sizeof path);

    if (length < 0 || (size_t)length == sizeof path) {
        df_error_set("cannot read %s: %s", link, length < 0 ? strerror(errno) : "the path is too long");
        return NULL;
    }
    path[length] = '\0';
    char *folder = df_path_folder(path), *prefix = folder ? df_path_folder(folder) : NULL;
    free(folder);
    return prefix;
}
