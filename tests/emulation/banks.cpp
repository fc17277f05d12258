/* Bank conflicts of shared memory. It has 32 banks of words of four bytes, which take turns; a word of each
 * is read or written at a time. The lanes of a warp that come to an instruction are served together: all of
 * them where each has up to four bytes, half of them at eight, eight of them at sixteen. Such a phase takes
 * as many turns as a bank has different words in it.
 *
 * Threads run one after the other here, so what a warp's lanes did is gathered until they meet: the n-th time
 * that each of them came to the same place in the program is taken to be one instruction. */
#include "checks.h"
#include "shared_memory.h"

#include "include/emulation_control.h"

#include <cstdio>
#include <map>
#include <unordered_set>

namespace emulation
{

bool counts_banks;

const unsigned banks = 32, bank_bytes = 4, shared_kinds = DF_SHARED_SCALAR + 1;

struct request {
    unsigned lanes_there;
    const char *address[lanes];
};

struct instruction {
    size_t bytes;
    unsigned times[lanes];
    std::vector<request> requests;
};

struct place {
    const void *location;
    enum df_shared_kind kind;

    bool operator<(const place &other) const
    {
        return location < other.location || (location == other.location && kind < other.kind);
    }
};

/* What a warp has done since its lanes met. */
struct gathered {
    std::map<place, instruction> instructions;
    std::unordered_set<size_t> vectors[lanes]; /* the halves of 16 bytes that a lane took as vectors */
};

static gathered pending[max_threads / lanes];
static std::map<place, df_shared_turns> counted;

static unsigned turns_of_phase(const char *const *address, unsigned lanes_there, unsigned count, size_t bytes)
{
    std::vector<size_t> words[banks];
    unsigned most = 0;

    for (unsigned lane = 0; lane < count; lane++) {
        const size_t at = (size_t)(address[lane] - shared.start);
        for (size_t word = at / bank_bytes;
             (lanes_there >> lane & 1) && word <= (at + bytes - 1) / bank_bytes; word++) {
            std::vector<size_t> &others = words[word % banks];
            bool known = false;
            for (size_t other : others)
                known = known || other == word;
            if (!known)
                others.push_back(word);
            most = others.size() > most ? (unsigned)others.size() : most;
        }
    }
    return most;
}

static void count_request(const place &where, const request &r, size_t bytes)
{
    const unsigned together = bytes <= 4 ? lanes : bytes <= 8 ? lanes / 2 : lanes / 4;
    df_shared_turns &turns = counted[where];

    for (unsigned first = 0; first < lanes; first += together) {
        const unsigned own = r.lanes_there >> first & (unsigned)((1ull << together) - 1);
        if (own == 0)
            continue;
        turns.phases++;
        turns.conflicts += turns_of_phase(r.address + first, own, together, bytes) - 1;
    }
}

void note_matrix_rows(const char *const rows[lanes], unsigned matrices, const void *location)
{
    request r = {(unsigned)((1ull << 8 * matrices) - 1), {}};

    std::copy(rows, rows + lanes, r.address);
    count_request({location, DF_SHARED_MATRIX}, r, 16);
}

void note_shared(enum df_shared_kind kind, const void *p, size_t bytes, const void *location)
{
    const unsigned lane = running.current % lanes;
    const size_t at = (size_t)((const char *)p - shared.start);
    gathered &warp = pending[running.current / lanes];

    if (at >= shared_area_bytes)
        return;
    /* The compiler reads and writes a vector's elements one by one, and when it likes. */
    if (kind == DF_SHARED_SCALAR && warp.vectors[lane].count(at / 8))
        return;
    for (size_t half = 0; kind == DF_SHARED_VECTOR && half < bytes; half += 8)
        warp.vectors[lane].insert((at + half) / 8);
    instruction &i = warp.instructions[{location, kind}];
    const size_t time = i.times[lane]++;
    if (time == i.requests.size())
        i.requests.push_back({});
    i.bytes = bytes;
    i.requests[time].lanes_there |= 1u << lane;
    i.requests[time].address[lane] = (const char *)p;
}

void gather_warp(unsigned warp)
{
    for (const auto &i : pending[warp].instructions) {
        for (const request &r : i.second.requests)
            count_request(i.first, r, i.second.bytes);
    }
    pending[warp].instructions.clear();
    for (std::unordered_set<size_t> &vectors : pending[warp].vectors)
        vectors.clear();
}

void gather_block()
{
    for (unsigned warp = 0; warp < max_threads / lanes; warp++)
        gather_warp(warp);
}

extern "C" void df_emulation_count_banks(bool yes)
{
    counts_banks = yes;
    if (yes)
        counted.clear();
}

extern "C" struct df_shared_turns df_emulation_shared_turns(enum df_shared_kind kind)
{
    df_shared_turns all = {0, 0};

    for (const auto &c : counted) {
        if (c.first.kind == kind) {
            all.phases += c.second.phases;
            all.conflicts += c.second.conflicts;
        }
    }
    return all;
}

extern "C" void df_emulation_print_conflicts(void)
{
    static const char *const names[shared_kinds] = {"ldmatrix", "cp.async", "vectors", "words"};

    for (const auto &c : counted) {
        if (c.second.conflicts == 0)
            continue;
        fprintf(stderr, "%llu conflicts in %llu phases of %s\n", c.second.conflicts, c.second.phases,
                names[c.first.kind]);
        print_location(c.first.location);
    }
}

} // namespace emulation
