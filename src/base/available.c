#include "dinoft/available.h"

#include "dinoft/size.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define LINE_MAX_BYTES 256

/* The number behind `name` in a file of lines "NAME NUMBER …"; a name of "" is a file that is one number. */
static bool read_number(const char *path, const char *name, uint64_t *number)
{
    FILE *stream = fopen(path, "r");
    char line[LINE_MAX_BYTES];
    const size_t length = strlen(name);
    bool found = false;

    while (stream && !found && fgets(line, sizeof line, stream))
        found = strncmp(line, name, length) == 0 && sscanf(line + length, "%" SCNu64, number) == 1;
    if (stream)
        fclose(stream);
    return found;
}

/* What a control group leaves below its limit. Cached pages of files count as used, but the inactive ones go
 * when memory is wanted. */
static size_t left_by_group(const char *limit_path, const char *used_path, const char *statistics_path,
                            const char *inactive)
{
    uint64_t limit, used, files = 0;

    if (!read_number(limit_path, "", &limit) || !read_number(used_path, "", &used))
        return SIZE_MAX;
    read_number(statistics_path, inactive, &files);
    used -= files < used ? files : used;
    return used < limit ? limit - used : 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t df_available_memory(void)
{
    uint64_t kibibytes;
    size_t left = SIZE_MAX;

    if (read_number("/proc/meminfo", "MemAvailable:", &kibibytes) && kibibytes < SIZE_MAX / 1024)
        left = kibibytes * 1024;
    left = smaller(left, left_by_group("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current",
                                       "/sys/fs/cgroup/memory.stat", "inactive_file "));
    return smaller(left, left_by_group("/sys/fs/cgroup/memory/memory.limit_in_bytes",
                                       "/sys/fs/cgroup/memory/memory.usage_in_bytes",
                                       "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file "));
}

size_t df_available_disk(const char *folder)
{
    struct statvfs status;
    size_t bytes;

    if (statvfs(folder, &status) != 0 || status.f_blocks == 0 ||
        !df_size_mul((size_t)status.f_bavail, (size_t)status.f_frsize, &bytes))
        return SIZE_MAX;
    return bytes;
}
