/* The device's memory: a range of addresses of its own. */
#ifndef EMULATION_DEVICE_MEMORY_H
#define EMULATION_DEVICE_MEMORY_H

#include "emulation.h"

#include <string>

namespace emulation
{

const size_t device_range = (size_t)16
                            << 30; /* addresses are used once, so that stale pointers are noticed */

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

/* For every 8 bytes: how many of them may be touched, from the first on. */
extern uint8_t *device_reachable;

/* "offset 12 of device memory [8 bytes]" */
std::string describe_device(const void *p);

/* Addresses that cost no memory until they are touched. Ends the process where there are none. */
void *reserve_addresses(size_t bytes, bool usable);

} // namespace emulation

#endif
