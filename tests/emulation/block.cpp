/* The threads of a block take turns. A thread that never waits runs from start to end on a stack that the
 * next one takes over, so that kernels without barriers cost no change of stacks. */
#include "checks.h"

#include <cstring>
#include <string>

namespace emulation
{

block running;

static fiber *idle;          /* fibers that wait for a thread to run */
static fiber main_fiber;     /* whoever launched */
static fiber *current_fiber; /* NULL outside of launches */
static unsigned next_thread; /* what a fiber from the idle list is to run */

/* Threads that can run, in order. */
static unsigned queue[max_threads];
static unsigned queue_head, queue_length;
static std::vector<unsigned> order;

static unsigned waiting, finished;
static int reduced;

static void enqueue(unsigned thread)
{
    queue[(queue_head + queue_length++) % max_threads] = thread;
}

static unsigned dequeue()
{
    const unsigned thread = queue[queue_head];
    queue_head = (queue_head + 1) % max_threads;
    queue_length--;
    return thread;
}

void make_ready(unsigned thread)
{
    running.threads[thread].state = thread_state::ready;
    enqueue(thread);
}

/* What the threads that have not finished wait for, each place once. */
static std::string who_waits()
{
    std::string text;
    bool told[max_threads] = {};

    for (unsigned i = 0; i < running.count; i++) {
        const thread &first = running.threads[i];
        if (told[i] || (first.state != thread_state::at_barrier && first.state != thread_state::in_warp))
            continue;
        unsigned count = 0;
        for (unsigned j = i; j < running.count; j++) {
            const thread &t = running.threads[j];
            if (t.state == first.state && t.line == first.line && !strcmp(t.file, first.file) &&
                !strcmp(t.operation, first.operation)) {
                told[j] = true;
                count++;
            }
        }
        text += "\n    " + std::to_string(count) + (count == 1 ? " thread waits" : " threads wait") + " in " +
                first.operation + " at " + first.file + ":" + std::to_string(first.line) + ", the first is " +
                thread_name(i);
    }
    for (unsigned i = 0; i < running.count && finished > 0; i++) {
        if (running.threads[i].state == thread_state::finished) {
            text += "\n    " + std::to_string(finished) + (finished == 1 ? " thread has" : " threads have") +
                    " ended, the first is " + thread_name(i);
            break;
        }
    }
    return text;
}

static void report_stuck()
{
    if (waiting > 0)
        report(nullptr, "a barrier is reached by only a part of the block:%s", who_waits().c_str());
    report(nullptr, "an operation of a warp is reached by only a part of the lanes in its mask:%s",
           who_waits().c_str());
}

static void run_fiber();

static void run_fiber();

static fiber *take_idle()
{
    fiber *const f = idle ? idle : fiber_create(run_fiber);
    if (f == idle)
        idle = f->next_free;
    return f;
}

/* Leaves the current thread, which waits or has finished, for one that can run. Returns when the current
 * thread can go on, or, if it has finished, with another that is to start on its stack. */
static void leave()
{
    const unsigned self = running.current;
    const bool ends = running.threads[self].state == thread_state::finished;
    fiber *const own = current_fiber;
    fiber *target = &main_fiber;

    if (queue_length > 0) {
        const unsigned next = dequeue();
        thread &t = running.threads[next];
        const bool starts = t.state == thread_state::waiting_to_start;
        if (!starts || ends)
            running.current = next;
        if (!starts)
            t.state = thread_state::running;
        if (next == self || (starts && ends))
            return;
        if (starts)
            next_thread = next;
        target = starts ? take_idle() : t.stack;
    } else if (finished < running.count) {
        report_stuck();
    }
    if (ends) {
        own->next_free = idle;
        idle = own;
    }
    current_fiber = target;
    fiber_switch(own, target);
    running.stack = own;
    if (ends)
        running.current = next_thread;
}

static void run_fiber()
{
    fiber_started();
    running.stack = current_fiber;
    running.current = next_thread;
    for (;;) {
        thread &t = current_thread();
        t.state = thread_state::running;
        t.stack = current_fiber;
        running.kernel->call(running.kernel->function, running.kernel->arguments);
        if (!t.copies.empty())
            report(nullptr, "the thread ends while an asynchronous copy of its own is not waited for");
        t.state = thread_state::finished;
        finished++;
        if (waiting > 0)
            report_stuck();
        leave();
    }
}

void wait_in(thread_state state, const char *operation, const char *file, int line)
{
    thread &t = current_thread();
    t.state = state;
    t.operation = operation;
    t.file = file;
    t.line = line;
    leave();
}

extern "C" int df_emulated_barrier(enum df_emulated_reduction kind, int predicate, const char *file, int line)
{
    static const char *const names[] = {"__syncthreads", "__syncthreads_count", "__syncthreads_and",
                                        "__syncthreads_or"};
    static int result;
    thread &t = current_thread();

    if (waiting == 0)
        reduced = 0;
    reduced += predicate != 0;
    waiting++;
    t.state = thread_state::at_barrier;
    t.operation = names[kind];
    t.file = file;
    t.line = line;
    if (finished > 0)
        report_stuck();
    if (waiting == running.count) {
        const thread &first = running.threads[0];
        for (unsigned i = 0; i < running.count; i++) {
            const thread &other = running.threads[i];
            if (other.line != first.line || strcmp(other.file, first.file) != 0 ||
                other.operation != first.operation)
                report(nullptr, "the threads of the block meet at different barriers:%s",
                       who_waits().c_str());
        }
        waiting = 0;
        result = reduced;
        note_barrier();
        fill_order(order, running.count);
        for (unsigned i = 0; i < running.count; i++)
            make_ready(order[i]);
    }
    leave();
    switch (kind) {
    case DF_EMULATED_AND:
        return result == (int)running.count;
    case DF_EMULATED_OR:
        return result > 0;
    default:
        return result;
    }
}

void run_block(const df_emulated_kernel &kernel, uint3 index)
{
    const dim3 size = kernel.block;

    running.kernel = &kernel;
    running.index = index;
    running.serial++;
    running.count = size.x * size.y * size.z;
    queue_head = queue_length = waiting = finished = 0;
    begin_shared(kernel);
    note_barrier();
    forget_warps();
    fill_order(order, running.count);
    for (unsigned i = 0; i < running.count; i++) {
        thread &t = running.threads[i];
        t.index = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
        t.state = thread_state::waiting_to_start;
        t.group = 0;
        enqueue(order[i]);
    }
    next_thread = dequeue();
    current_fiber = take_idle();
    fiber_switch(&main_fiber, current_fiber);
    if (counts_banks)
        gather_block();
    running.kernel = nullptr;
}

extern "C" uint3 df_emulated_thread_index(void)
{
    return current_thread().index;
}

extern "C" uint3 df_emulated_block_index(void)
{
    return running.index;
}

extern "C" uint3 df_emulated_block_dimensions(void)
{
    return {running.kernel->block.x, running.kernel->block.y, running.kernel->block.z};
}

extern "C" uint3 df_emulated_grid_dimensions(void)
{
    return {running.kernel->grid.x, running.kernel->grid.y, running.kernel->grid.z};
}

} // namespace emulation
