#include "dinoft/log_file.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool begins_as_log(const char *path)
{
    static const char pattern[] = DF_LOG_TIME;
    char text[sizeof pattern - 1];
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = descriptor < 0 ? -1 : read(descriptor, text, sizeof text);

    if (descriptor >= 0)
        close(descriptor);
    if (length != (ssize_t)sizeof text)
        return false;
    for (size_t i = 0; i < sizeof text; i++) {
        if (pattern[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != pattern[i])
            return false;
    }
    return true;
}

static int make_folder_of(const char *path)
{
    char *folder = df_path_folder(path);
    const int status = folder ? df_make_folder(folder) : -1;

    free(folder);
    return status;
}

int df_log_file_open(const char *path)
{
    struct stat status;

    DF_TRY(make_folder_of(path));
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 && !begins_as_log(path))
        return df_error_set(
            "%s is no log, to which lines could be added: its first line has no date and time", path);
    const int descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return df_error_set("cannot open %s: %s", path, strerror(errno));
    return descriptor;
}
