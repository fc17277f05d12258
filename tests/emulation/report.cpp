#include "emulation.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <link.h>
#include <string>
#include <unistd.h>

namespace emulation
{

static int first_module(struct dl_phdr_info *info, size_t, void *base)
{
    *(uintptr_t *)base = info->dlpi_addr;
    return 1;
}

/* Asks addr2line, where there is one, which line of the source an address belongs to. */
void print_location(const void *location)
{
    uintptr_t base = 0;
    char command[256], line[1024];

    dl_iterate_phdr(first_module, &base);
    /* A return address is the start of what follows the call. */
    snprintf(command, sizeof command, "addr2line -f -C -i -p -e /proc/%ld/exe 0x%zx 2>/dev/null",
             (long)getpid(), (size_t)((uintptr_t)location - base - 1));
    FILE *const pipe = popen(command, "r");
    bool known = false;
    while (pipe && fgets(line, sizeof line, pipe)) {
        fprintf(stderr, "    at %s", line);
        known = true;
    }
    if (pipe)
        pclose(pipe);
    if (!known)
        fprintf(stderr, "    at address 0x%zx of the program\n", (size_t)((uintptr_t)location - base));
}

/* The host's functions that led here, innermost first, as far as they belong to the program itself. */
static void print_callers()
{
    const int most = 32, shown = 6, own = 2;
    void *frames[most];
    extern const char start_of_program[] __asm__("__executable_start"), end_of_program[] __asm__("_end");
    const int count = backtrace(frames, most);

    for (int i = own, printed = 0; i < count && printed < shown; i++) {
        const char *const frame = (const char *)frames[i];
        if (frame >= start_of_program && frame < end_of_program) {
            print_location(frame);
            printed++;
        }
    }
}

void report(const void *location, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "emulation: error: ");
    if (running.kernel) {
        const uint3 t = current_thread().index, b = running.index;
        fprintf(stderr, "kernel %s, block (%u, %u, %u), thread (%u, %u, %u): ", running.kernel->name, b.x,
                b.y, b.z, t.x, t.y, t.z);
    }
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (location)
        print_location(location);
    else if (!running.kernel)
        print_callers();
    fflush(stderr);
    /* Not abort: nothing is left to be cleaned up, and a core file of the device's address range would be of
     * no use. */
    _Exit(86);
}

} // namespace emulation
