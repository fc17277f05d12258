#include "fiber.h"

#include "support/asan.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

/* ucontext's switch asks the kernel to change the signal mask each time, which costs a hundred times more. */
#if !defined(__x86_64__) || defined(__ILP32__)
#include <ucontext.h>
#define EMULATION_UCONTEXT 1
#endif

namespace emulation
{

#if TESTS_ASAN
static const size_t stack_bytes = 512 * 1024;
#else
static const size_t stack_bytes = 128 * 1024;
#endif

#if TESTS_ASAN
static fiber *leaving; /* whose stack's bounds are told to the fiber that comes */
#endif

#ifdef EMULATION_UCONTEXT

static void change_stack(fiber *from, fiber *to)
{
    if (!from->saved)
        from->saved = calloc(1, sizeof(ucontext_t));
    swapcontext((ucontext_t *)from->saved, (ucontext_t *)to->saved);
}

static void prepare_stack(fiber *f, void (*body)())
{
    ucontext_t *const context = (ucontext_t *)calloc(1, sizeof(ucontext_t));
    getcontext(context);
    context->uc_stack.ss_sp = f->stack;
    context->uc_stack.ss_size = f->bytes;
    makecontext(context, body, 0);
    f->saved = context;
}

#else

/* Pushes what a function must leave as it found it, and pops what another fiber pushed. */
extern "C" void df_emulation_change_stack(void **save, void *restore);
asm(R"(
    .text
    .globl df_emulation_change_stack
    .type df_emulation_change_stack, @function
df_emulation_change_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size df_emulation_change_stack, . - df_emulation_change_stack
    .section .note.GNU-stack, "", @progbits
    .text
)");

static void change_stack(fiber *from, fiber *to)
{
    df_emulation_change_stack(&from->saved, to->saved);
}

static void prepare_stack(fiber *f, void (*body)())
{
    /* Stacks start at different offsets in a page: at the same one, a thousand of them would share few lines
     * of the cache. */
    static unsigned count;
    const size_t offset = (size_t)(count++ % 48) * 64;
    void **const top = (void **)(f->stack + f->bytes - offset);

    top[-1] =
        nullptr; /* the return address of `body`, which does not return; leaves the stack as after a call */
    memcpy(&top[-2], &body, sizeof body);
    memset(&top[-8], 0, 6 * sizeof(void *));
    f->saved = &top[-8];
}

#endif

fiber *fiber_create(void (*body)())
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *const memory = (char *)mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) {
        perror("emulation: a thread's stack");
        abort();
    }
    fiber *const f = new fiber();
    f->stack = memory + page;
    f->bytes = stack_bytes;
    prepare_stack(f, body);
    return f;
}

void fiber_started()
{
#if TESTS_ASAN
    const void *bottom;
    size_t bytes;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
    if (!leaving->stack) {
        leaving->stack = (char *)const_cast<void *>(bottom);
        leaving->bytes = bytes;
    }
#endif
}

void fiber_switch(fiber *from, fiber *to)
{
#if TESTS_ASAN
    leaving = from;
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->bytes);
    change_stack(from, to);
    __sanitizer_finish_switch_fiber(from->fake_stack, nullptr, nullptr);
#else
    change_stack(from, to);
#endif
}

} // namespace emulation
