/* Stacks that take turns on one thread of the operating system. */
#ifndef EMULATION_FIBER_H
#define EMULATION_FIBER_H

#include <cstddef>

namespace emulation
{

struct fiber {
    char *stack; /* lowest usable address; below it lies a page that cannot be touched */
    size_t bytes;
    void *saved;      /* where the suspended fiber's registers are */
    void *fake_stack; /* AddressSanitizer's */
    fiber *next_free;
};

/* One that starts in `body` when it is first resumed; `body` must not return. */
fiber *fiber_create(void (*body)());

/* Leaves the running fiber, which `from` describes, for another. For the thread's own stack, the caller has a
 * struct fiber too, all zeros before its first use. */
void fiber_switch(fiber *from, fiber *to);

/* A fiber's first call. */
void fiber_started();

} // namespace emulation

#endif
