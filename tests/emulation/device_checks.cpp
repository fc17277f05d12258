/* The device's memory: bounds and races. What is remembered of every four bytes is the last write. That a
 * block or a thread writes what others have read before shows when they run in the opposite order. */
#include "checks.h"
#include "device_memory.h"

namespace emulation
{

struct write_trace {
    uint32_t launch, block, time;
    uint16_t thread;
    uint8_t bytes;
    bool atomic;
};

static write_trace *writes; /* one for every four bytes of the device's range */
static uint32_t launch;

void begin_launch_checks()
{
    launch++;
    if (!writes && device_start)
        writes = (write_trace *)reserve_addresses(device_range / 4 * sizeof(write_trace), true);
}

[[noreturn]] static void report_race(const char *p, access kind, const write_trace &w, uint32_t block,
                                     const void *location)
{
    const std::string where = describe_device(p);

    if (w.block != block)
        report(location, "a race: it %s %s, which block %u of the grid wrote in the same launch", verb(kind),
               where.c_str(), w.block);
    report(location, "a race: it %s %s, which thread %s wrote with no barrier between", verb(kind),
           where.c_str(), thread_name(w.thread).c_str());
}

static void check_reachable(const char *p, size_t bytes, access kind, const void *location)
{
    const size_t at = (size_t)(p - device_start), end = at + bytes;

    for (size_t i = at / 8; i <= (end - 1) / 8; i++) {
        if (device_reachable[i] < 8 && end - 8 * i > device_reachable[i])
            report(location, "out of bounds: it %s %zu bytes at %s", verb(kind), bytes,
                   describe_device(p).c_str());
    }
}

void check_device(const char *p, size_t bytes, access kind, const void *location)
{
    const size_t at = (size_t)(p - device_start), end = at + bytes;
    const dim3 grid = running.kernel->grid;
    const uint32_t block = running.index.x + grid.x * (running.index.y + grid.y * running.index.z);
    const unsigned self = running.current;
    const uint32_t now = block_clock.now;

    check_reachable(p, bytes, kind, location);
    for (size_t i = at / 4; i <= (end - 1) / 4; i++) {
        write_trace &w = writes[i];
        unsigned touched = 0xf;
        if (4 * i < at)
            touched = touched << (at - 4 * i) & 0xf;
        if (4 * i + 4 > end)
            touched &= 0xfu >> (4 * i + 4 - end);
        if (w.launch == launch && (w.bytes & touched) && !(kind == access::atomic && w.atomic) &&
            (w.block != block || (w.thread != self && !is_before(w.time, w.thread / lanes, self / lanes))))
            report_race(p, kind, w, block, location);
        if (kind == access::read)
            continue;
        if (w.launch == launch && w.block == block && w.thread == self && w.time == now)
            touched |= w.bytes;
        w = {launch, block, now, (uint16_t)self, (uint8_t)touched, kind == access::atomic};
    }
}

} // namespace emulation
