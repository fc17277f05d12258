/* The parts of the emulated device and what they know of each other. One block runs at a time, on one thread
 * of the operating system: a launch holds the device's lock. */
#ifndef EMULATION_H
#define EMULATION_H

#include "include/emulated_device.h"
#include "include/emulation_control.h"

#include "fiber.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace emulation
{

const unsigned max_threads = 1024, lanes = 32;
const size_t static_shared_limit = 48 * 1024, reserved_shared = 1024; /* of each block */

/* --- capability.cpp: DF_EMULATION_CAPABILITY, or 8.0 --- */

struct capability {
    const char *name;    /* "8.0" */
    size_t block_shared; /* what a block may ask for */
    unsigned threads;    /* of a multiprocessor */
    unsigned blocks;

    size_t shared() const /* of a multiprocessor */
    {
        return block_shared + reserved_shared;
    }
};

const capability &device_capability();

/* --- block.cpp: the block that runs --- */

enum class thread_state { waiting_to_start, running, ready, at_barrier, in_warp, finished };

struct async_copy {
    void *shared;
    const void *global;
    bool valid;
    unsigned group;
};

struct thread {
    uint3 index;
    thread_state state;
    fiber *stack;
    const char *file; /* where it waits */
    int line;
    const char *operation;
    std::vector<async_copy> copies; /* those not carried out yet, in order */
    unsigned group;                 /* of cp.async copies that is being filled */
};

struct block {
    const df_emulated_kernel *kernel; /* NULL: none runs */
    uint3 index;
    uint64_t serial; /* counts the blocks of the process */
    unsigned count;  /* threads */
    unsigned current;
    const fiber *stack; /* the current thread's */
    thread threads[max_threads];
};

extern block running;

inline thread &current_thread()
{
    return running.threads[running.current];
}

/* Runs one block from its first thread's start to its last one's end. */
void run_block(const df_emulated_kernel &kernel, uint3 index);

/* Suspends the current thread, whose state says why, until another makes it ready. */
void wait_in(thread_state state, const char *operation, const char *file, int line);
void make_ready(unsigned thread);

/* --- launch.cpp --- */

/* What a block of the function may have of shared memory, static and dynamic: more than 48 KB only where
 * cudaFuncSetAttribute asked for it. */
size_t shared_limit_of(const void *function);

/* --- warp.cpp --- */

/* Waits until all lanes of the mask have come with the same operation from the same call. Then `combine` is
 * called once: it finds what each lane brought, and leaves results there. */
void warp_collective(const char *operation, unsigned mask, void *brought,
                     void (*combine)(void *const brought[lanes], unsigned mask), const char *file, int line);
void forget_warps();

/* --- order.cpp: DF_EMULATION_ORDER=forward|backward|random[:seed] --- */

/* The i-th of `count` things, in the order asked for; `round` makes random orders differ. */
void fill_order(std::vector<unsigned> &order, unsigned count);

/* --- shared_memory.cpp --- */

void begin_shared(const df_emulated_kernel &kernel);

/* --- banks.cpp: shared memory's banks. To be told of accesses where counts_banks. --- */

extern bool counts_banks;
void note_shared(enum df_shared_kind kind, const void *p, size_t bytes, const void *location);
void note_matrix_rows(const char *const rows[lanes], unsigned matrices, const void *location);
/* The lanes of a warp, or of all, meet: what they did until now is counted. */
void gather_warp(unsigned warp);
void gather_block();

/* --- access.cpp: what kernels read and write --- */

enum class access { read, write, atomic };

/* Whether kernels are compiled so that every access is seen. Where not, AddressSanitizer may be there, and
 * the functions below do nothing. */
bool checks_accesses();
void check_access(const void *p, size_t bytes, access kind, const void *location);
void note_barrier();
void note_warp_barrier(unsigned warp);
void begin_launch_checks();

/* --- shared_checks.cpp --- */

/* check_access for 16 bytes that must be aligned and lie in shared memory. */
void check_shared_16(const void *p, access kind, const char *operation, const void *location);
/* An asynchronous copy writes these bytes of shared memory: they are not to be touched until its end. */
void begin_async_write(void *p, size_t bytes);
void end_async_write(void *p, size_t bytes, const void *location);

/* --- report.cpp --- */

/* To stderr, the line of the source that an address of the program belongs to. */
void print_location(const void *location);
/* Says what is wrong with the running kernel, where, and ends the process. */
[[noreturn]] void report(const void *location, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- runtime.cpp --- */

/* The calling thread's. */
extern thread_local int current_device;

/* --- streams.cpp --- */

/* Work for the stream to do some time, or to be kept for a graph if the stream is being captured. */
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);
bool is_capturing(cudaStream_t stream);
/* For calls that a thread must not make while it captures a stream (but in relaxed mode), because a graph
 * would not repeat them: false, and the capture is invalidated, if it does. */
bool may_act_at_once();
void finish_stream(cudaStream_t stream);
void finish_all_streams();

/* --- runtime.cpp --- */

/* For cudaGetLastError. Returns the error. */
cudaError_t remember(cudaError_t error);

/* Whether DF_EMULATION_MACHINE names this kind of machine. */
bool machine_is(const char *kind);

} // namespace emulation

#endif
