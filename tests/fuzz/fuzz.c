#define _XOPEN_SOURCE 700 /* nftw() */
#include "fuzz.h"

#include "dinoft/error.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FILES 8 /* that removing the folder takes at most */

static char folder[FUZZ_PATH_MAX / 2]; /* made at the first use */
static volatile unsigned char sink;

void fuzz_check(bool holds, const char *promise)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s (the last error: %s)\n", promise, df_error_text());
    abort();
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
}

static void make_folder(void)
{
    const char *set = getenv("TMPDIR");
    const char *place = set && *set ? set : access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";

    const int length = snprintf(folder, sizeof folder, "%s/dinoft-fuzz-XXXXXX", place);
    fuzz_check(length > 0 && (size_t)length < sizeof folder && mkdtemp(folder), "a folder for the inputs");
    atexit(remove_folder);
}

const char *fuzz_path(const char *name, char path[FUZZ_PATH_MAX])
{
    if (!*folder)
        make_folder();
    const int length = snprintf(path, FUZZ_PATH_MAX, "%s/%s", folder, name);
    fuzz_check(length > 0 && length < FUZZ_PATH_MAX, "a path that fits");
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        fuzz_check(mkdir(path, 0700) == 0 || errno == EEXIST, "a folder for the inputs");
        *slash = '/';
    }
    return path;
}

void fuzz_write(const char *path, const void *data, size_t size)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    fuzz_check(file >= 0 && (size == 0 || write(file, data, size) == (ssize_t)size),
               "an input that can be written");
    close(file);
}

void fuzz_touch(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    unsigned char sum = 0;

    for (size_t i = 0; i < size; i++)
        sum ^= at[i];
    sink = sum;
}

void fuzz_forget_error(void)
{
    df_error_set("%s", "");
}

void fuzz_check_error(void)
{
    const char *text = df_error_text();

    fuzz_check(*text != '\0', "who fails says why");
    fuzz_check(!strchr(text, '\n'), "an error is one line");
}
