/* Where a block's shared memory lies and what is known of each of its bytes. */
#ifndef EMULATION_SHARED_MEMORY_H
#define EMULATION_SHARED_MEMORY_H

#include "emulation.h"

namespace emulation
{

const size_t shared_area_bytes = 512 * 1024;

enum shared_state : uint8_t {
    shared_nothing = 0, /* belongs to no array */
    shared_unset,       /* never written by this block */
    shared_set,
    shared_in_flight /* an asynchronous copy writes it */
};

struct shared_array {
    const char *name;
    char *start;
    size_t bytes;
};

struct shared_area {
    char *start, *dynamic;
    size_t used;         /* bytes from the start on that hold arrays and gaps */
    size_t static_bytes; /* of static arrays alone */
    std::vector<shared_array> arrays;
    uint8_t state[shared_area_bytes];
};

extern struct shared_area shared;

} // namespace emulation

#endif
