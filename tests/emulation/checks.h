/* What is remembered of a kernel's accesses to memory, so that races can be told.
 *
 * Two threads race that touch the same bytes, one of them writing, with no barrier between. Time is a number
 * that every barrier of the block moves on, and every __syncwarp of one of its warps. It never goes back
 * while the process lives, but for the rare moment when the number overflows. */
#ifndef EMULATION_CHECKS_H
#define EMULATION_CHECKS_H

#include "emulation.h"

#include <string>

namespace emulation
{

struct clock_of_block {
    uint32_t now, barrier; /* the latest barrier of all threads */
    uint32_t warp[max_threads / lanes];
};

extern clock_of_block block_clock;

/* Whether what a thread of some warp did at a time is certain to be before what a thread of another warp does
 * now. */
inline bool is_before(uint32_t time, unsigned warp, unsigned own_warp)
{
    return time < block_clock.barrier || time > block_clock.now ||
           (warp == own_warp && time < block_clock.warp[own_warp]);
}

inline const char *verb(access kind)
{
    return kind == access::read ? "reads" : "writes";
}

/* "(x, y, z)" of a thread of the running block. */
std::string thread_name(unsigned thread);

/* --- shared_checks.cpp --- */

void check_shared(const char *p, size_t bytes, access kind, const void *location);
void check_shared_word(const char *p, access kind, const void *location); /* the same for 4 bytes, fast */
/* The clock starts again: what is known of earlier accesses is dropped, which can only hide a race. */
void forget_shared();

/* --- device_checks.cpp --- */

void check_device(const char *p, size_t bytes, access kind, const void *location);

} // namespace emulation

#endif
