/* Shared memory: bounds, reads of what the block has not written, races. What is remembered of every two
 * bytes is the last write and the last read, or that several threads read. */
#include "checks.h"
#include "shared_memory.h"

#include <cstring>

namespace emulation
{

/* Who touched two bytes last and when, in one number that grows with time. */
typedef uint32_t trace;
enum { one_thread = 0, one_warp = 1, many_warps = 2, by_atomic = 3 };
static const unsigned time_shift = 14, several_shift = 12, bytes_shift = 10;

static inline trace make_trace(uint32_t time, unsigned several, unsigned bytes, unsigned thread)
{
    return time << time_shift | several << several_shift | bytes << bytes_shift | thread;
}

static inline uint32_t time_of(trace t)
{
    return t >> time_shift;
}

static inline unsigned several_of(trace t)
{
    return t >> several_shift & 3;
}

static inline unsigned bytes_of(trace t)
{
    return t >> bytes_shift & 3;
}

static inline unsigned thread_of(trace t)
{
    return t & (max_threads - 1);
}

struct cell {
    trace written, read;
};

static cell cells[shared_area_bytes / 2];

void forget_shared()
{
    memset(cells, 0, sizeof cells);
}

static std::string describe(const char *p)
{
    const shared_array *nearest = nullptr;
    size_t distance = SIZE_MAX;

    for (const shared_array &array : shared.arrays) {
        size_t away = 0;
        if (p < array.start)
            away = (size_t)(array.start - p);
        else if (p >= array.start + array.bytes)
            away = (size_t)(p - array.start - array.bytes) + 1;
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

[[noreturn]] static void report_race(const char *p, access kind, trace other, const char *other_did,
                                     const void *location)
{
    const bool alone = several_of(other) == one_thread || several_of(other) == by_atomic;

    report(location, "a race: it %s shared memory, %s, that %s %s %s with no barrier between", verb(kind),
           describe(p).c_str(), alone ? "thread" : "threads like", thread_name(thread_of(other)).c_str(),
           other_did);
}

/* --- reads --- */

static void check_written(trace w, unsigned bytes, const char *p, const void *location)
{
    const unsigned self = running.current;

    if ((bytes_of(w) & bytes) && thread_of(w) != self &&
        !is_before(time_of(w), thread_of(w) / lanes, self / lanes))
        report_race(p, access::read, w, "wrote", location);
}

/* There was a read since the last barrier. */
static trace add_reader(trace r, unsigned bytes)
{
    const unsigned self = running.current, all = bytes_of(r) | bytes;

    if (several_of(r) <= one_warp && is_before(time_of(r), thread_of(r) / lanes, self / lanes))
        return make_trace(block_clock.now, one_thread, bytes, self);
    if (several_of(r) == one_thread && thread_of(r) == self)
        return make_trace(block_clock.now, one_thread, all, self);
    if (several_of(r) <= one_warp && thread_of(r) / lanes == self / lanes)
        return make_trace(block_clock.now, one_warp, all, self);
    return make_trace(block_clock.now, many_warps, all, self);
}

static inline void note_read(cell &c, unsigned bytes, const char *p, const void *location)
{
    const trace barrier = block_clock.barrier << time_shift;

    if (c.written >= barrier)
        check_written(c.written, bytes, p, location);
    if (c.read < barrier)
        c.read = make_trace(block_clock.now, one_thread, bytes, running.current);
    else if (several_of(c.read) != many_warps || bytes_of(c.read) != 3)
        c.read = add_reader(c.read, bytes);
}

/* --- writes --- */

static void check_before_write(const cell &c, unsigned bytes, bool atomic, const char *p,
                               const void *location)
{
    const unsigned self = running.current, warp = self / lanes;
    const trace w = c.written, r = c.read;

    if ((bytes_of(w) & bytes) && thread_of(w) != self && !(atomic && several_of(w) == by_atomic) &&
        !is_before(time_of(w), thread_of(w) / lanes, warp))
        report_race(p, access::write, w, "wrote", location);
    if (!(bytes_of(r) & bytes) || (several_of(r) == one_thread && thread_of(r) == self))
        return;
    if (several_of(r) == many_warps ? time_of(r) >= block_clock.barrier
                                    : !is_before(time_of(r), thread_of(r) / lanes, warp))
        report_race(p, access::write, r, "read", location);
}

static inline void note_write(cell &c, unsigned bytes, bool atomic, const char *p, const void *location)
{
    const trace barrier = block_clock.barrier << time_shift;
    const unsigned self = running.current;

    if (c.written >= barrier || c.read >= barrier)
        check_before_write(c, bytes, atomic, p, location);
    if (thread_of(c.written) == self && time_of(c.written) == block_clock.now)
        bytes |= bytes_of(c.written);
    c.written = make_trace(block_clock.now, atomic ? by_atomic : one_thread, bytes, self);
}

/* --- both --- */

static void check_state(size_t at, size_t bytes, access kind, const void *location)
{
    for (size_t i = at; i < at + bytes; i++) {
        const char *const p = shared.start + i;
        switch (shared.state[i]) {
        case shared_nothing:
            report(location, "out of bounds: it %s %zu bytes at %s", verb(kind), bytes, describe(p).c_str());
        case shared_in_flight:
            report(location, "it %s shared memory that an asynchronous copy is still writing: %s", verb(kind),
                   describe(p).c_str());
        case shared_unset:
            if (kind != access::write)
                report(location, "it reads shared memory that the block has not written: %s",
                       describe(p).c_str());
            break;
        default:
            break;
        }
    }
}

void check_shared(const char *p, size_t bytes, access kind, const void *location)
{
    const size_t at = (size_t)(p - shared.start);

    if (at + bytes > shared_area_bytes)
        report(location, "out of bounds: it %s %zu bytes beyond shared memory", verb(kind), bytes);
    check_state(at, bytes, kind, location);
    if (kind != access::read)
        memset(shared.state + at, shared_set, bytes);
    for (size_t i = at / 2; i <= (at + bytes - 1) / 2; i++) {
        const unsigned first = 2 * i >= at ? 1u : 0u, second = 2 * i + 1 < at + bytes ? 2u : 0u;
        if (kind == access::read)
            note_read(cells[i], first | second, shared.start + 2 * i, location);
        else
            note_write(cells[i], first | second, kind == access::atomic, shared.start + 2 * i, location);
    }
}

void check_shared_word(const char *p, access kind, const void *location)
{
    const size_t at = (size_t)(p - shared.start);
    cell *const halves = &cells[at / 2];
    uint32_t state;

    memcpy(&state, shared.state + at, sizeof state);
    if (at % 4 != 0 || state != 0x01010101u * shared_set || kind == access::atomic) {
        check_shared(p, 4, kind, location);
        return;
    }
    const bool equal = halves[0].written == halves[1].written && halves[0].read == halves[1].read;
    for (int i = 0; i < (equal ? 1 : 2); i++) {
        if (kind == access::read)
            note_read(halves[i], 3, p, location);
        else
            note_write(halves[i], 3, false, p, location);
    }
    if (equal)
        halves[1] = halves[0];
}

void check_shared_16(const void *p, access kind, const char *operation, const void *location)
{
    if ((uintptr_t)p % 16 != 0)
        report(location, "%s with address %p, which is not aligned to 16 bytes", operation, p);
    if ((size_t)((const char *)p - shared.start) >= shared_area_bytes)
        report(location, "%s with address %p, which is not in shared memory", operation, p);
    check_access(p, 16, kind, location);
}

void begin_async_write(void *p, size_t bytes)
{
    if (checks_accesses())
        memset(shared.state + ((char *)p - shared.start), shared_in_flight, bytes);
}

void end_async_write(void *p, size_t bytes, const void *location)
{
    if (!checks_accesses())
        return;
    memset(shared.state + ((char *)p - shared.start), shared_set, bytes);
    check_access(p, bytes, access::write, location);
}

} // namespace emulation
