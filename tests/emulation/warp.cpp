/* Operations in which the lanes of a warp meet. */
#include "emulation.h"

#include <cstring>

namespace emulation
{

/* What some lanes of a warp have come to and others not yet. */
struct meeting {
    const char *operation, *file;
    int line;
    unsigned mask, arrived;
    void *brought[lanes];
};

static std::vector<meeting> meetings[max_threads / lanes];

void forget_warps()
{
    for (std::vector<meeting> &pending : meetings)
        pending.clear();
}

static meeting &join(std::vector<meeting> &pending, const char *operation, unsigned mask, const char *file,
                     int line)
{
    for (meeting &m : pending) {
        if (m.mask != mask)
            continue;
        if (m.line != line || m.operation != operation || (m.file != file && strcmp(m.file, file) != 0))
            report(nullptr, "the lanes of a warp meet in different operations: %s at %s:%d and %s at %s:%d",
                   m.operation, m.file, m.line, operation, file, line);
        return m;
    }
    pending.push_back({operation, file, line, mask, 0, {}});
    return pending.back();
}

void warp_collective(const char *operation, unsigned mask, void *brought,
                     void (*combine)(void *const brought[lanes], unsigned mask), const char *file, int line)
{
    const unsigned self = running.current, warp = self / lanes, lane = self % lanes, first = warp * lanes;
    const unsigned there = running.count - first >= lanes ? ~0u : (1u << (running.count - first)) - 1;
    std::vector<meeting> &pending = meetings[warp];

    if (!(mask >> lane & 1))
        report(nullptr, "lane %u calls %s at %s:%d with mask 0x%08x, which it is not in", lane, operation,
               file, line, mask);
    if (mask & ~there)
        report(nullptr, "%s at %s:%d with mask 0x%08x: the warp has only the lanes 0x%08x", operation, file,
               line, mask, there);
    meeting &m = join(pending, operation, mask, file, line);
    m.brought[lane] = brought;
    m.arrived |= 1u << lane;
    if (m.arrived != mask) {
        wait_in(thread_state::in_warp, operation, file, line);
        return;
    }
    void *all[lanes];
    memcpy(all, m.brought, sizeof all);
    if (counts_banks && mask == there)
        gather_warp(warp);
    pending.erase(pending.begin() + (&m - pending.data()));
    combine(all, mask);
    for (unsigned i = 0; i < lanes; i++) {
        if ((mask >> i & 1) && i != lane)
            make_ready(first + i);
    }
}

extern "C" void df_emulated_warp_barrier(unsigned mask, const char *file, int line)
{
    const unsigned warp = running.current / lanes;
    unsigned self = warp;

    warp_collective(
        "__syncwarp", mask, &self,
        [](void *const brought[lanes], unsigned lanes_there) {
            note_warp_barrier(*(unsigned *)brought[__builtin_ctz(lanes_there)]);
        },
        file, line);
}

struct vote {
    int predicate;
    unsigned result;
};

extern "C" unsigned df_emulated_ballot(unsigned mask, int predicate, const char *file, int line)
{
    vote own = {predicate, 0};

    warp_collective(
        "a vote", mask, &own,
        [](void *const brought[lanes], unsigned there) {
            unsigned result = 0;
            for (unsigned i = 0; i < lanes; i++)
                result |= (there >> i & 1) && ((vote *)brought[i])->predicate ? 1u << i : 0;
            for (unsigned i = 0; i < lanes; i++) {
                if (there >> i & 1)
                    ((vote *)brought[i])->result = result;
            }
        },
        file, line);
    return own.result;
}

struct shuffled {
    enum df_emulated_shuffle_kind kind;
    uint64_t value, result;
    int operand, width;
};

/* The lane that `lane` reads; its own where the source lies outside of its group of `width` lanes. */
static int source_lane(const shuffled &s, int lane)
{
    const int base = lane & ~(s.width - 1), within = lane - base;
    int source = lane;

    switch (s.kind) {
    case DF_EMULATED_FROM:
        return base + (s.operand & (s.width - 1));
    case DF_EMULATED_UP:
        source = within - s.operand;
        break;
    case DF_EMULATED_DOWN:
        source = within + s.operand;
        break;
    case DF_EMULATED_XOR:
        source = within ^ s.operand;
        break;
    }
    return source >= 0 && source < s.width ? base + source : lane;
}

static void shuffle_all(void *const brought[lanes], unsigned mask)
{
    for (unsigned i = 0; i < lanes; i++) {
        if (!(mask >> i & 1))
            continue;
        shuffled &own = *(shuffled *)brought[i];
        const int source = source_lane(own, (int)i);
        if (!(mask >> source & 1))
            report(nullptr, "a shuffle with mask 0x%08x: lane %u reads lane %d, which takes no part", mask, i,
                   source);
        own.result = ((shuffled *)brought[source])->value;
    }
}

extern "C" uint64_t df_emulated_shuffle(enum df_emulated_shuffle_kind kind, unsigned mask, uint64_t value,
                                        int operand, int width, const char *file, int line)
{
    static const char *const names[] = {"__shfl_sync", "__shfl_up_sync", "__shfl_down_sync",
                                        "__shfl_xor_sync"};
    shuffled own = {kind, value, 0, operand, width};

    if (width < 1 || width > (int)lanes || (width & (width - 1)) != 0)
        report(nullptr, "%s at %s:%d: a width of %d", names[kind], file, line, width);
    warp_collective(names[kind], mask, &own, shuffle_all, file, line);
    return own.result;
}

} // namespace emulation
