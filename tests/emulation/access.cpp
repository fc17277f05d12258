/* Sees every read and write of a kernel, if the compiler tells of them: kernels are compiled with
 * -fsanitize=thread, but what that calls is not the library's code, it is this file's.
 *
 * Checked are bounds, reads of shared memory that the block has not written, and races: two threads that
 * touch the same bytes, one of them writing, with no barrier between. Time is a number that every barrier of
 * the block and every
 * __syncwarp of a warp moves on. What is remembered of shared memory, for every two bytes, is the last write
 * and the last read, or that several threads read. */
#include "device_memory.h"
#include "shared_memory.h"

#include "include/emulation_control.h"

#include <cstring>
#include <link.h>
#include <string>

namespace emulation
{

static bool compiled_in;

extern "C" bool df_emulation_checks_accesses(void)
{
    return compiled_in;
}

/* --- time --- */

static const uint32_t last_time = (1u << 18) - 1;
static uint32_t now = 1, barrier_time = 1, warp_time[max_threads / lanes];

/* The last access of a kind to two bytes. */
struct trace {
    uint32_t time : 18, thread : 10, several : 2, bytes : 2;
};
enum { one_thread = 0, one_warp = 1, many_warps = 2, by_atomic = 3 };

struct cell {
    trace written, read;
};

static cell cells[shared_area_bytes / 2];

static void advance()
{
    if (++now == last_time) { /* forgets, which can only hide a race */
        memset(cells, 0, sizeof cells);
        now = 1;
        barrier_time = 1;
        memset(warp_time, 0, sizeof warp_time);
    }
}

void note_barrier()
{
    advance();
    barrier_time = now;
}

void note_warp_barrier(unsigned warp)
{
    advance();
    warp_time[warp] = now;
}

void begin_block_checks()
{
    note_barrier();
}

static bool is_before(uint32_t time, unsigned warp, unsigned own_warp)
{
    return time < barrier_time || time > now || (warp == own_warp && time < warp_time[own_warp]);
}

uint32_t current_time()
{
    return now;
}

bool was_before(uint32_t time, unsigned thread)
{
    return is_before(time, thread / lanes, running.current / lanes);
}

/* --- shared memory --- */

static std::string describe_shared(const char *p)
{
    const shared_array *nearest = nullptr;
    size_t distance = SIZE_MAX;

    for (const shared_array &array : shared.arrays) {
        const size_t away = p < array.start                 ? (size_t)(array.start - p)
                            : p < array.start + array.bytes ? 0
                                                            : (size_t)(p - array.start - array.bytes) + 1;
        if (away < distance) {
            distance = away;
            nearest = &array;
        }
    }
    if (!nearest)
        return "shared memory, of which the block has none";
    return "offset " + std::to_string(p - nearest->start) + " of " + nearest->name + " [" +
           std::to_string(nearest->bytes) + " bytes]";
}

static std::string name_of_thread(unsigned thread)
{
    const uint3 t = running.threads[thread].index;

    return "(" + std::to_string(t.x) + ", " + std::to_string(t.y) + ", " + std::to_string(t.z) + ")";
}

[[noreturn]] static void report_race(const char *p, const char *what, const trace &other,
                                     const char *other_did, const void *place)
{
    report(place, "a race: it %s shared memory, %s, that %s%s %s with no barrier between", what,
           describe_shared(p).c_str(),
           other.several == one_thread || other.several == by_atomic ? "thread " : "threads like ",
           name_of_thread(other.thread).c_str(), other_did);
}

static void note_read(cell &c, unsigned bytes, const char *p, const void *place)
{
    const unsigned self = running.current, warp = self / lanes;
    const trace w = c.written;

    if ((w.bytes & bytes) && (w.thread != self) && !is_before(w.time, w.thread / lanes, warp))
        report_race(p, "reads", w, "wrote", place);
    trace &r = c.read;
    if (r.time < barrier_time)
        r = {now, self, one_thread, bytes};
    else if (r.several == one_thread && r.thread == self)
        r = {now, self, one_thread, r.bytes | bytes};
    else if (r.several <= one_warp && r.thread / lanes == warp)
        r = {now, self, one_warp, r.bytes | bytes};
    else
        r = {now, self, many_warps, r.bytes | bytes};
}

static void note_write(cell &c, unsigned bytes, bool atomic, const char *p, const void *place)
{
    const unsigned self = running.current, warp = self / lanes;
    const trace w = c.written, r = c.read;

    if ((w.bytes & bytes) && w.thread != self && !(atomic && w.several == by_atomic) &&
        !is_before(w.time, w.thread / lanes, warp))
        report_race(p, "writes", w, "wrote", place);
    if ((r.bytes & bytes) && !(r.several == one_thread && r.thread == self) &&
        (r.several == many_warps ? r.time >= barrier_time : !is_before(r.time, r.thread / lanes, warp)))
        report_race(p, "writes", r, "read", place);
    const bool again = w.thread == self && w.time == now;
    c.written = {now, self, atomic ? by_atomic : one_thread, again ? w.bytes | bytes : bytes};
}

static void check_state(size_t at, size_t bytes, access kind, const void *place)
{
    for (size_t i = at; i < at + bytes; i++) {
        const char *const p = shared.start + i;
        const uint8_t state = shared.state[i];
        if (state == shared_nothing)
            report(place, "out of bounds: it %s %zu bytes at %s", kind == access::read ? "reads" : "writes",
                   bytes, describe_shared(p).c_str());
        if (state == shared_coming)
            report(place, "it %s shared memory that an asynchronous copy is still writing: %s",
                   kind == access::read ? "reads" : "writes", describe_shared(p).c_str());
        if (state == shared_unset && kind != access::write)
            report(place, "it reads shared memory that the block has not written: %s",
                   describe_shared(p).c_str());
    }
}

static void check_shared(const char *p, size_t bytes, access kind, const void *place)
{
    const size_t at = (size_t)(p - shared.start);

    if (at + bytes > shared_area_bytes)
        report(place, "out of bounds: shared memory");
    check_state(at, bytes, kind, place);
    if (kind != access::read)
        memset(shared.state + at, shared_set, bytes);
    for (size_t i = at / 2; i <= (at + bytes - 1) / 2; i++) {
        const unsigned touched =
            (2 * i >= at ? 1u : 0u) | (2 * i + 1 < at + bytes && 2 * i + 1 >= at ? 2u : 0u);
        if (kind == access::read)
            note_read(cells[i], touched, shared.start + 2 * i, place);
        else
            note_write(cells[i], touched, kind == access::atomic, shared.start + 2 * i, place);
    }
}

void check_shared_16(const void *p, access kind, const char *operation, const void *place)
{
    const char *const c = (const char *)p;

    if ((uintptr_t)p % 16 != 0)
        report(place, "%s with address %p, which is not aligned to 16 bytes", operation, p);
    if (c < shared.start || c >= shared.start + shared_area_bytes)
        report(place, "%s with address %p, which is not in shared memory", operation, p);
    check_access(p, 16, kind, place);
}

void begin_async_write(void *p, size_t bytes)
{
    if (compiled_in)
        memset(shared.state + ((char *)p - shared.start), shared_coming, bytes);
}

void end_async_write(void *p, size_t bytes, const void *place)
{
    if (!compiled_in)
        return;
    memset(shared.state + ((char *)p - shared.start), shared_set, bytes);
    check_access(p, bytes, access::write, place);
}

/* --- the rest --- */

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

static void check_other(const char *p, size_t bytes, access kind, const void *place)
{
    const char *const arguments = (const char *)running.kernel->arguments;
    uintptr_t address = (uintptr_t)p;

    if (kind == access::read && p >= arguments && p + bytes <= arguments + running.kernel->argument_bytes)
        return;
    if (kind == access::read && dl_iterate_phdr(is_constant, &address))
        return;
    report(place, "it %s %zu bytes at %p: that is the host's memory or another thread's local memory",
           kind == access::read ? "reads" : "writes", bytes, (const void *)p);
}

static inline void check(const void *address, size_t bytes, access kind, const void *place)
{
    if (!running.kernel)
        return;
    const char *const p = (const char *)address;
    const fiber &f = *current_thread().stack;
    if ((size_t)(p - f.stack) < f.bytes)
        return;
    if ((size_t)(p - shared.start) < shared_area_bytes)
        check_shared(p, bytes, kind, place);
    else if (is_device_address(p))
        check_device(p, bytes, kind, place);
    else
        check_other(p, bytes, kind, place);
}

void check_access(const void *p, size_t bytes, access kind, const void *place)
{
    if (compiled_in)
        check(p, bytes, kind, place);
}

extern "C" {

void __tsan_init(void)
{
    compiled_in = true;
}

#define SIZES(size)                                                                                          \
    void __tsan_read##size(void *p)                                                                          \
    {                                                                                                        \
        check(p, size, access::read, __builtin_return_address(0));                                           \
    }                                                                                                        \
    void __tsan_write##size(void *p)                                                                         \
    {                                                                                                        \
        check(p, size, access::write, __builtin_return_address(0));                                          \
    }                                                                                                        \
    void __tsan_unaligned_read##size(void *p)                                                                \
    {                                                                                                        \
        check(p, size, access::read, __builtin_return_address(0));                                           \
    }                                                                                                        \
    void __tsan_unaligned_write##size(void *p)                                                               \
    {                                                                                                        \
        check(p, size, access::write, __builtin_return_address(0));                                          \
    }                                                                                                        \
    void __tsan_volatile_read##size(void *p)                                                                 \
    {                                                                                                        \
        check(p, size, access::read, __builtin_return_address(0));                                           \
    }                                                                                                        \
    void __tsan_volatile_write##size(void *p)                                                                \
    {                                                                                                        \
        check(p, size, access::write, __builtin_return_address(0));                                          \
    }
void __tsan_func_entry(void *)
{
}

void __tsan_func_exit(void)
{
}

SIZES(1)
SIZES(2)
SIZES(4)
SIZES(8)
SIZES(16)

void __tsan_read_range(void *p, size_t bytes)
{
    check(p, bytes, access::read, __builtin_return_address(0));
}

void __tsan_write_range(void *p, size_t bytes)
{
    check(p, bytes, access::write, __builtin_return_address(0));
}

void __tsan_vptr_update(void **, void *)
{
}

} /* extern "C" */

} // namespace emulation
