#include "dinoft/peak_memory.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <sys/resource.h>

/* The largest resident size so far, in bytes. getrusage() may tell that of whoever started this process
 * instead, so it is asked only where there is no /proc. */
static size_t peak_of_process(void)
{
    struct rusage usage;
    char line[256];
    unsigned long long kibibytes = 0;
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof line, status)) {
        if (sscanf(line, "VmHWM: %llu kB", &kibibytes) == 1)
            break;
    }
    if (status)
        fclose(status);
    if (kibibytes == 0 && getrusage(RUSAGE_SELF, &usage) == 0)
        kibibytes = (unsigned long long)usage.ru_maxrss;
    return (size_t)kibibytes * 1024;
}

int df_peak_memory(struct df_backend *backend, size_t *bytes, bool *on_device)
{
    struct df_memory_use use;

    DF_TRY(backend->ops->memory(backend, &use));
    *on_device = use.most_taken > 0;
    *bytes = *on_device ? use.most_taken : peak_of_process();
    return 0;
}
