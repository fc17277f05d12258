/* A block's shared memory: the static arrays in the order in which a thread first comes to them, with gaps
 * between, and the dynamic part. */
#include "shared_memory.h"

#include "support/asan.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace emulation
{

struct shared_area shared;

static const size_t gap = 256;

static void map_area()
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *const memory = (char *)mmap(nullptr, shared_area_bytes + 2 * page, PROT_NONE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED || mprotect(memory + page, shared_area_bytes, PROT_READ | PROT_WRITE) != 0) {
        perror("emulation: shared memory");
        abort();
    }
    shared.start = memory + page;
    ASAN_POISON_MEMORY_REGION(shared.start, shared_area_bytes);
}

/* Adds an array behind a gap. Its bytes are those of a NaN, whatever they are read as. */
static char *add_array(size_t bytes)
{
    const size_t at = (shared.used + gap + 127) / 128 * 128;

    shared.used = at + bytes;
    if (shared.used + gap > shared_area_bytes)
        report(nullptr, "the block's static shared arrays do not fit into what the emulation keeps for them");
    memset(shared.state + at, shared_unset, bytes);
    ASAN_UNPOISON_MEMORY_REGION(shared.start + at, bytes);
    memset(shared.start + at, 0xff, bytes);
    return shared.start + at;
}

void begin_shared(const df_emulated_kernel &kernel)
{
    if (!shared.start)
        map_area();
    memset(shared.state, shared_nothing, shared.used);
    ASAN_POISON_MEMORY_REGION(shared.start, shared_area_bytes);
    shared.used = shared.static_bytes = 0;
    shared.arrays.clear();
    shared.dynamic = kernel.dynamic_shared > 0 ? add_array(kernel.dynamic_shared) : nullptr;
    if (shared.dynamic)
        shared.arrays.push_back({"dynamic shared memory", shared.dynamic, kernel.dynamic_shared});
}

extern "C" void *df_emulated_dynamic_shared(void)
{
    if (!shared.dynamic)
        report(__builtin_return_address(0), "dynamic shared memory is used, but the launch asked for none");
    return shared.dynamic;
}

extern "C" void *df_emulated_static_shared(struct df_emulated_shared *record)
{
    if (record->block == running.serial)
        return record->memory;
    shared.static_bytes += (record->bytes + 15) / 16 * 16;
    if (shared.static_bytes > static_shared_limit)
        report(nullptr, "static shared arrays take %zu bytes, more than the %zu that a kernel may have",
               shared.static_bytes, static_shared_limit);
    const size_t limit = shared_limit_of(running.kernel->function);
    if (shared.static_bytes + running.kernel->dynamic_shared > limit)
        report(nullptr,
               "%zu bytes of dynamic and %zu of static shared memory are more than the %zu that a block may "
               "have",
               running.kernel->dynamic_shared, shared.static_bytes, limit);
    record->memory = add_array(record->bytes);
    record->block = running.serial;
    shared.arrays.push_back({record->name, (char *)record->memory, record->bytes});
    return record->memory;
}

} // namespace emulation
