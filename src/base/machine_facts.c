#define _GNU_SOURCE /* sched_getaffinity */

#include "dinoft/facts.h"

#include "dinoft/available.h"
#include "dinoft/text.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

/* What is behind the first `separator` of the first line that begins with `name`, without its end; the caller
 * frees it. NULL: there is no such file or line. */
static char *read_value(const char *path, const char *name, const char *separator)
{
    FILE *stream = fopen(path, "r");
    char *line = NULL, *value = NULL;
    size_t size = 0;

    while (stream && !value && getline(&line, &size, stream) > 0) {
        const char *start = df_text_starts_with(line, name) ? strstr(line, separator) : NULL;
        if (start)
            value = strdup(start + strlen(separator));
    }
    if (value)
        value[strcspn(value, "\n")] = '\0';
    free(line);
    if (stream)
        fclose(stream);
    return value;
}

static void system_facts(FILE *stream)
{
    char *name = read_value("/etc/os-release", "PRETTY_NAME=", "=");
    const char *start = name ? name + strspn(name, "\"'") : "unknown";
    struct utsname system;

    if (uname(&system) == 0)
        df_fact(stream, "system", "%.*s, %s %s %s", (int)strcspn(start, "\"'"), start, system.sysname,
                system.release, system.machine);
    free(name);
#ifdef __GLIBC__
    char version[64];
    snprintf(version, sizeof version, "glibc %s (built with %d.%d)", gnu_get_libc_version(), __GLIBC__,
             __GLIBC_MINOR__);
    df_fact_library(stream, "C library", version, NULL, "gnu_get_libc_version");
#endif
}

/* Those of the processor's instruction sets that make a difference to the program or to oneDNN, under the
 * names that Linux has for them. */
static void instruction_sets_fact(FILE *stream)
{
    static const char *const known[] = {"sse4_1",      "avx",         "avx2",        "fma",      "f16c",
                                        "avx_vnni",    "avx512f",     "avx512bw",    "avx512dq", "avx512vl",
                                        "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8",
                                        "amx_bf16",    "amx_fp16"};
    char *flags = read_value("/proc/cpuinfo", "flags", ":"), *rest = NULL;
    char found[256] = "";

    for (char *flag = flags ? strtok_r(flags, " ", &rest) : NULL; flag; flag = strtok_r(NULL, " ", &rest)) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (strcmp(flag, known[i]) == 0)
                snprintf(found + strlen(found), sizeof found - strlen(found), " %s", flag);
        }
    }
    df_fact(stream, "instruction sets", "%s",
            found[0] ? found + 1
            : flags  ? "none that is known here"
                     : "unknown");
    free(flags);
}

static void processor_facts(FILE *stream)
{
    char *model = read_value("/proc/cpuinfo", "model name", ": ");
    cpu_set_t usable;

    df_fact(stream, "processor", "%s", model ? model : "unknown");
    free(model);
    instruction_sets_fact(stream);
    if (sched_getaffinity(0, sizeof usable, &usable) == 0)
        df_fact(stream, "cores", "%d for this process, %ld online", CPU_COUNT(&usable),
                sysconf(_SC_NPROCESSORS_ONLN));
    else
        df_fact(stream, "cores", "%ld online", sysconf(_SC_NPROCESSORS_ONLN));
}

static void memory_fact(FILE *stream)
{
    const double gibibyte = 1 << 30;
    const double total = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    const size_t available = df_available_memory();

    if (available == SIZE_MAX)
        df_fact(stream, "memory", "%.1f GiB", total / gibibyte);
    else
        df_fact(stream, "memory", "%.1f GiB, %.1f GiB available", total / gibibyte,
                (double)available / gibibyte);
}

void df_machine_facts(FILE *stream)
{
    system_facts(stream);
    processor_facts(stream);
    memory_fact(stream);
}
