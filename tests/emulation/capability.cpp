/* What the devices of a compute capability have, by the tables of CUDA's programming guide. */
#include "emulation.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace emulation
{

static const capability capabilities[] = {
    {"7.5", 64 * 1024, 1024, 16},  {"8.0", 163 * 1024, 2048, 32}, {"8.6", 99 * 1024, 1536, 16},
    {"8.9", 99 * 1024, 1536, 24},  {"9.0", 227 * 1024, 2048, 32}, {"10.0", 227 * 1024, 2048, 32},
    {"12.0", 99 * 1024, 1536, 24},
};

static const capability &choose()
{
    const char *const text = getenv("DF_EMULATION_CAPABILITY"), *const name = machine_is("old-device") ? "7.5"
                                                                              : text                   ? text
                                                                                     : "8.0";

    for (const capability &c : capabilities) {
        if (!strcmp(c.name, name))
            return c;
    }
    fprintf(stderr, "emulation: DF_EMULATION_CAPABILITY=%s: not known\n", name);
    abort();
}

const capability &device_capability()
{
    static const capability &chosen = choose();
    return chosen;
}

} // namespace emulation
