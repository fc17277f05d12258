/* The device's memory: a range of addresses of its own. */
#ifndef EMULATION_DEVICE_MEMORY_H
#define EMULATION_DEVICE_MEMORY_H

#include "emulation.h"

namespace emulation
{

const size_t device_range = (size_t)16
                            << 30; /* addresses are given out once, so that stale pointers are noticed */

extern char *device_start;

inline bool is_device_address(const void *p)
{
    return device_start && (size_t)((const char *)p - device_start) < device_range;
}

/* NULL where there is no more. */
void *allocate_device(size_t bytes);
/* False for what is not an allocation. */
bool free_device(void *p);
/* Whether all the bytes belong to one allocation. */
bool is_allocated(const void *p, size_t bytes);
void device_memory_info(size_t *free, size_t *total);

/* The device's memory can be touched only between these. They nest. */
void open_device_memory();
void close_device_memory();

/* A kernel's access. */
void check_device(const char *p, size_t bytes, access kind, const void *place);
void begin_launch_checks();

} // namespace emulation

#endif
