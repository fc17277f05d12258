#include "emulation.h"

namespace emulation
{

extern "C" unsigned df_emulated_atomic_32(enum df_emulated_atomic operation, unsigned *p, unsigned value,
                                          unsigned expected)
{
    check_access(p, sizeof *p, access::atomic, __builtin_return_address(0));
    const unsigned old = *p;

    switch (operation) {
    case DF_EMULATED_ADD:
        *p = old + value;
        break;
    case DF_EMULATED_MAX:
        *p = (int)value > (int)old ? value : old;
        break;
    case DF_EMULATED_MIN:
        *p = (int)value < (int)old ? value : old;
        break;
    case DF_EMULATED_BIT_OR:
        *p = old | value;
        break;
    case DF_EMULATED_EXCHANGE:
        *p = value;
        break;
    case DF_EMULATED_COMPARE:
        *p = old == expected ? value : old;
        break;
    case DF_EMULATED_INCREMENT:
        *p = old >= value ? 0 : old + 1;
        break;
    }
    return old;
}

extern "C" unsigned long long df_emulated_atomic_add_64(unsigned long long *p, unsigned long long value)
{
    check_access(p, sizeof *p, access::atomic, __builtin_return_address(0));
    const unsigned long long old = *p;

    *p = old + value;
    return old;
}

} // namespace emulation
