/* How tensor cores add up. NVIDIA does not say; measurements (Fasi et al., "Numerical behavior of NVIDIA
 * tensor cores", 2021, and later ones of newer devices) agree on this: some products, and the sum so far, are
 * shifted to the exponent of the largest of them, what is below the last place is cut off, and so it is when
 * their sum becomes a float32. How many products are taken at once, and how many places below float32's are
 * kept, differs from device to device; the fewer of either, the more is lost. Here it is eight products and
 * no further place. */
#include "tensor_core_sum.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace emulation
{

static bool read_mode()
{
    const char *const text = getenv("DF_EMULATION_SUMS");

    if (!text || !strcmp(text, "rounded"))
        return false;
    if (!strcmp(text, "truncated"))
        return true;
    fprintf(stderr, "emulation: DF_EMULATION_SUMS=%s: expected rounded or truncated\n", text);
    abort();
}

bool sums_are_truncated()
{
    static const bool yes = read_mode();
    return yes;
}

static unsigned exponent_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits >> 23 & 255;
}

static float power_of_two(unsigned exponent)
{
    const uint32_t bits = exponent << 23;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The 24 highest bits. */
static int cut_off(int sum)
{
    const unsigned size = (unsigned)abs(sum);
    const int below = 8 - (size ? __builtin_clz(size) : 32);

    if (below <= 0)
        return sum;
    const int kept = (int)(size >> below << below);
    return sum < 0 ? -kept : kept;
}

float add_truncated(float sum, const float *products, unsigned count)
{
    const unsigned bias = 127, places = 23, least = places + 1, special = 255;
    unsigned exponent = exponent_of(sum) > least ? exponent_of(sum) : least;

    for (unsigned i = 0; i < count; i++)
        exponent = exponent_of(products[i]) > exponent ? exponent_of(products[i]) : exponent;
    if (exponent == special) {
        for (unsigned i = 0; i < count; i++)
            sum += products[i];
        return sum;
    }
    const float to_whole = power_of_two(2 * bias + places - exponent);
    int whole = (int)(sum * to_whole);
    for (unsigned i = 0; i < count; i++)
        whole += (int)(products[i] * to_whole);
    return (float)cut_off(whole) * power_of_two(exponent - places);
}

} // namespace emulation
