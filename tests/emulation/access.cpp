/* Sees every read and write of a kernel, if the compiler tells of them: kernels are compiled with
 * -fsanitize=thread, but what that calls is not the sanitizer's library, it is this file. */
#include "checks.h"
#include "device_memory.h"
#include "shared_memory.h"

#include <cstring>
#include <link.h>

namespace emulation
{

static bool compiled_in;

bool checks_accesses()
{
    return compiled_in;
}

extern "C" bool df_emulation_checks_accesses(void)
{
    return compiled_in;
}

/* --- time --- */

clock_of_block block_clock = {1, 1, {}};

static void advance()
{
    const uint32_t last_time = (1u << 18) - 1; /* what fits beside the rest of a trace (shared_checks.cpp) */

    if (++block_clock.now < last_time)
        return;
    block_clock = {1, 1, {}};
    forget_shared();
}

void note_barrier()
{
    advance();
    block_clock.barrier = block_clock.now;
    if (counts_banks)
        gather_block();
}

void note_warp_barrier(unsigned warp)
{
    advance();
    block_clock.warp[warp] = block_clock.now;
}

std::string thread_name(unsigned thread)
{
    const uint3 t = running.threads[thread].index;

    return "(" + std::to_string(t.x) + ", " + std::to_string(t.y) + ", " + std::to_string(t.z) + ")";
}

/* --- which memory it is --- */

static int is_constant(struct dl_phdr_info *info, size_t, void *address)
{
    const uintptr_t p = *(const uintptr_t *)address;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) &h = info->dlpi_phdr[i];
        if (((h.p_type == PT_LOAD && !(h.p_flags & PF_W)) || h.p_type == PT_GNU_RELRO) &&
            p - (info->dlpi_addr + h.p_vaddr) < h.p_memsz)
            return 1;
    }
    return 0;
}

static void check_other(const char *p, size_t bytes, access kind, const void *location)
{
    const char *const arguments = (const char *)running.kernel->arguments;
    uintptr_t address = (uintptr_t)p;

    if (kind == access::read && p >= arguments && p + bytes <= arguments + running.kernel->argument_bytes)
        return;
    if (kind == access::read && dl_iterate_phdr(is_constant, &address))
        return;
    report(location, "it %s %zu bytes at %p: that is the host's memory or another thread's local memory",
           verb(kind), bytes, (const void *)p);
}

static inline void check(const void *address, size_t bytes, access kind, const void *location)
{
    const char *const p = (const char *)address;

    if (!running.kernel)
        return;
    if ((size_t)(p - shared.start) < shared_area_bytes) {
        if (bytes % 4 != 0)
            check_shared(p, bytes, kind, location);
        for (size_t i = 0; bytes % 4 == 0 && i < bytes; i += 4)
            check_shared_word(p + i, kind, location);
    } else if ((size_t)(p - running.stack->stack) < running.stack->bytes) {
        return;
    } else if (is_device_address(p)) {
        check_device(p, bytes, kind, location);
    } else {
        check_other(p, bytes, kind, location);
    }
}

void check_access(const void *p, size_t bytes, access kind, const void *location)
{
    if (compiled_in)
        check(p, bytes, kind, location);
}

/* --- what vectors tell of themselves (include/emulated_vectors.h) --- */

} // namespace emulation

void df_emulated_vector(unsigned long address, unsigned long bytes)
{
    using namespace emulation;

    if (address % bytes != 0)
        report(__builtin_return_address(0),
               "a vector of %lu bytes at 0x%lx: no multiple of its size, where a device faults", bytes,
               address);
    if (counts_banks && running.kernel)
        note_shared(DF_SHARED_VECTOR, (const char *)address, bytes, __builtin_return_address(0));
}

namespace emulation
{

/* --- what the compiler calls --- */

static void see(const void *p, size_t bytes, access kind, const void *location)
{
    check(p, bytes, kind, location);
    if (counts_banks && running.kernel)
        note_shared(DF_SHARED_SCALAR, p, bytes, location);
}

extern "C" {

void __tsan_init(void)
{
    compiled_in = true;
}

void __tsan_func_entry(void *)
{
}

void __tsan_func_exit(void)
{
}

void __tsan_vptr_update(void **, void *)
{
}

void __tsan_read_range(void *p, size_t bytes)
{
    see(p, bytes, access::read, __builtin_return_address(0));
}

void __tsan_write_range(void *p, size_t bytes)
{
    see(p, bytes, access::write, __builtin_return_address(0));
}

#define ACCESS(name, size, kind)                                                                             \
    void name(void *p)                                                                                       \
    {                                                                                                        \
        see(p, size, kind, __builtin_return_address(0));                                                     \
    }
#define ACCESSES(size)                                                                                       \
    ACCESS(__tsan_read##size, size, access::read)                                                            \
    ACCESS(__tsan_write##size, size, access::write)                                                          \
    ACCESS(__tsan_unaligned_read##size, size, access::read)                                                  \
    ACCESS(__tsan_unaligned_write##size, size, access::write)                                                \
    ACCESS(__tsan_volatile_read##size, size, access::read)                                                   \
    ACCESS(__tsan_volatile_write##size, size, access::write)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

} /* extern "C" */

} // namespace emulation
