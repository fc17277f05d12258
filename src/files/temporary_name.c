#include "temporary_name.h"

#include "dinoft/digest.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START  ".dinoft-"
#define END    ".tmp"
#define DIGITS 16

/* The system draws it when it starts; containers share it. Its length, 0 where it cannot be had. */
static size_t read_boot(char *text, size_t size)
{
    const int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    const ssize_t got = read(file, text, size);
    close(file);
    return got > 0 ? (size_t)got : 0;
}

uint64_t df_temporary_origin(int folder)
{
    char boot[64];
    struct stat status;
    struct df_digest digest;
    const size_t length = read_boot(boot, sizeof boot);

    if (length == 0 || fstat(folder, &status) != 0)
        return 0;
    df_digest_start(&digest);
    df_digest_add(&digest, boot, length);
    df_digest_add_number(&digest, (uint64_t)status.st_dev);
    return df_digest_value(&digest);
}

/* Goes on behind a run of these characters; false unless there are at least `least` and at most `most`. */
static bool pass(const char **text, const char *characters, size_t least, size_t most)
{
    const size_t count = strspn(*text, characters);

    *text += count;
    return count >= least && count <= most;
}

static bool has_form(const char *name, const char *characters, size_t least, size_t most)
{
    if (strncmp(name, START, strlen(START)) != 0)
        return false;
    name += strlen(START);
    if (!pass(&name, characters, least, most) || *name++ != '-')
        return false;
    return pass(&name, characters, least, most) && strcmp(name, END) == 0;
}

enum df_temporary_kind df_temporary_kind_of(const char *name, uint64_t origin)
{
    char here[DIGITS + 1];

    if (has_form(name, "0123456789abcdef", DIGITS, DIGITS)) {
        snprintf(here, sizeof here, "%016" PRIx64, origin);
        return origin != 0 && memcmp(name + strlen(START), here, DIGITS) == 0 ? DF_TEMPORARY_HERE
                                                                              : DF_TEMPORARY_ELSEWHERE;
    }
    return has_form(name, "0123456789", 1, DIGITS - 1) ? DF_TEMPORARY_ELSEWHERE : DF_TEMPORARY_NOT;
}
