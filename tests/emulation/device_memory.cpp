#include "device_memory.h"

#include "support/asan.h"
#include "include/emulation_control.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <sys/mman.h>
#include <vector>

namespace emulation
{

char *device_start;
uint8_t *device_reachable;

/* Pages are large where the system has them: the time to protect memory grows with their number. */
static const size_t gap = 512, alignment = 256, page = 2 << 20;

struct allocation {
    size_t bytes;
    bool freed;
};

static std::map<char *, allocation> allocations; /* by where they start */
static char *next_address, *mapped_end;
static size_t in_use, limit = (size_t)8 << 30;
static int opened;

std::string describe_device(const void *p)
{
    auto found = allocations.upper_bound((char *)const_cast<void *>(p));

    if (found == allocations.begin())
        return "device memory before the first allocation";
    --found;
    return "offset " + std::to_string((const char *)p - found->first) + " of " +
           (found->second.freed ? "freed device memory [" : "device memory [") +
           std::to_string(found->second.bytes) + " bytes]";
}

static void on_fault(int signal_number, siginfo_t *info, void *)
{
    if (is_device_address(info->si_addr))
        report(nullptr, "%s touches %s", running.kernel ? "out of bounds: it" : "host code",
               describe_device(info->si_addr).c_str());
    signal(signal_number, SIG_DFL); /* and the instruction runs again */
}

void *reserve_addresses(size_t bytes, bool usable)
{
    void *const memory = mmap(nullptr, bytes, usable ? PROT_READ | PROT_WRITE : PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        perror("emulation: device memory");
        abort();
    }
    return memory;
}

/* A thread's stack for the handler of faults; whose it was before, as a sanitizer's, gets it back in the end.
 */
class fault_stack
{
    std::vector<char> memory = std::vector<char>(64 * 1024);
    stack_t before = {};

  public:
    fault_stack()
    {
        stack_t stack = {};
        stack.ss_sp = memory.data();
        stack.ss_size = memory.size();
        sigaltstack(&stack, &before);
    }

    ~fault_stack()
    {
        sigaltstack(&before, nullptr);
    }

    fault_stack(const fault_stack &) = delete;
    fault_stack &operator=(const fault_stack &) = delete;
};

static void begin()
{
    const char *const text = getenv("DF_EMULATION_MEMORY");
    struct sigaction action = {};

    if (text)
        limit = (size_t)strtoull(text, nullptr, 10);
    const uintptr_t range = (uintptr_t)reserve_addresses(device_range + page, false);
    device_start = (char *)((range + page - 1) / page * page);
    madvise(device_start, device_range, MADV_HUGEPAGE);
    next_address = mapped_end = device_start;
    device_reachable = (uint8_t *)reserve_addresses(device_range / 8, true);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, nullptr);
}

static void protect(int protection)
{
    if (mapped_end > device_start &&
        mprotect(device_start, (size_t)(mapped_end - device_start), protection) != 0) {
        perror("emulation: mprotect");
        abort();
    }
}

void open_device_memory()
{
    if (opened++ == 0)
        protect(PROT_READ | PROT_WRITE);
}

void close_device_memory()
{
    if (--opened == 0)
        protect(PROT_NONE);
}

static void set_reachable(const char *p, size_t bytes, bool yes)
{
    uint8_t *const first = device_reachable + (p - device_start) / 8;

    memset(first, yes ? 8 : 0, bytes / 8);
    if (bytes % 8 > 0)
        first[bytes / 8] = yes ? bytes % 8 : 0;
}

void *allocate_device(size_t bytes)
{
    static thread_local fault_stack stack;

    if (!device_start)
        begin();
    if (bytes > limit - in_use ||
        bytes + gap + alignment > (size_t)(device_start + device_range - next_address))
        return nullptr;
    char *const p = next_address + gap;
    next_address = p + (bytes + alignment - 1) / alignment * alignment;
    if (next_address + gap > mapped_end) {
        char *const end =
            device_start + ((size_t)(next_address + gap - device_start) + page - 1) / page * page;
        ASAN_POISON_MEMORY_REGION(mapped_end, end - mapped_end);
        mapped_end = end;
    }
    in_use += bytes;
    allocations[p] = {bytes, false};
    ASAN_UNPOISON_MEMORY_REGION(p, bytes);
    set_reachable(p, bytes, true);
    open_device_memory();
    memset(p, 0xff, bytes); /* NaN, whatever it is read as */
    close_device_memory();
    return p;
}

bool free_device(void *memory)
{
    char *const p = (char *)memory;
    const auto found = allocations.find(p);

    if (found == allocations.end() || found->second.freed)
        return false;
    const size_t bytes = found->second.bytes;
    found->second.freed = true;
    in_use -= bytes;
    set_reachable(p, bytes, false);
    ASAN_POISON_MEMORY_REGION(p, bytes);
    char *const first = device_start + ((size_t)(p - device_start) + page - 1) / page * page;
    char *const end = device_start + (size_t)(p + bytes - device_start) / page * page;
    if (end > first)
        madvise(first, (size_t)(end - first), MADV_DONTNEED);
    return true;
}

bool is_allocated(const void *memory, size_t bytes)
{
    char *const p = (char *)const_cast<void *>(memory);
    auto found = allocations.upper_bound(p);

    if (found == allocations.begin())
        return false;
    --found;
    return !found->second.freed && (size_t)(p - found->first) <= found->second.bytes &&
           bytes <= found->second.bytes - (size_t)(p - found->first);
}

void device_memory_info(size_t *free, size_t *total)
{
    if (!device_start)
        begin();
    *free = limit - in_use;
    *total = limit;
}

extern "C" void df_emulation_set_memory(size_t bytes)
{
    if (!device_start)
        begin();
    limit = bytes > in_use ? bytes : in_use;
}

extern "C" size_t df_emulation_memory_in_use(void)
{
    return in_use;
}

extern "C" bool df_emulation_has_address_sanitizer(void)
{
    return TESTS_ASAN;
}

} // namespace emulation
