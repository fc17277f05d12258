#include "emulation.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace emulation
{

enum class direction { forward, backward, random };

static uint64_t state = 1;

static direction read_direction()
{
    const char *const text = getenv("DF_EMULATION_ORDER");

    if (!text || !strcmp(text, "forward"))
        return direction::forward;
    if (!strcmp(text, "backward"))
        return direction::backward;
    if (!strncmp(text, "random", 6) && (text[6] == ':' || text[6] == 0)) {
        state = text[6] ? strtoull(text + 7, nullptr, 10) * 2 + 1 : 1;
        return direction::random;
    }
    fprintf(stderr, "emulation: DF_EMULATION_ORDER=%s: expected forward, backward, random or random:SEED\n",
            text);
    abort();
}

static uint32_t draw()
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

void fill_order(std::vector<unsigned> &order, unsigned count)
{
    static const direction chosen = read_direction();

    if (chosen != direction::random && order.size() == count)
        return;
    order.resize(count);
    std::iota(order.begin(), order.end(), 0u);
    if (chosen == direction::backward) {
        for (unsigned i = 0; i < count; i++)
            order[i] = count - 1 - i;
    } else if (chosen == direction::random) {
        for (unsigned i = count; i > 1; i--)
            std::swap(order[i - 1], order[draw() % i]);
    }
}

} // namespace emulation
