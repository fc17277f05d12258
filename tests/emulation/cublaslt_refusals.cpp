/* What cuBLASLt has no algorithm for: DF_EMULATION_CUBLASLT. */
#include "cublaslt_product.h"

#include "include/emulation_control.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace emulation
{

static unsigned read_refusals()
{
    static const char *const words[] = {"unaligned", "epilogue", "narrow", "all", "late", "random"};
    const char *const text = getenv("DF_EMULATION_CUBLASLT");
    unsigned refusals = 0;

    for (int i = 0; text && i < 6; i++) {
        if (strstr(text, words[i]))
            refusals |= 1u << i;
    }
    return refusals;
}

static unsigned &refusals()
{
    static unsigned value = read_refusals();
    return value;
}

static uint64_t mixed(uint64_t state, uint64_t value)
{
    const uint64_t product = (state ^ value) * 0x9e3779b97f4a7c15u;
    return product ^ product >> 29;
}

static uint64_t read_seed()
{
    const char *const text = getenv("DF_EMULATION_CUBLASLT"), *const colon =
                                                                  text ? strchr(text, ':') : nullptr;
    return colon ? strtoull(colon + 1, nullptr, 10) : 0;
}

/* Of the seed and of all that a product is asked for by: the library's answer to the same question is always
 * the same. */
static uint64_t draw(const df_emulated_matmul &operation, const df_emulated_layout *const *layouts)
{
    static const uint64_t seed = read_seed();
    uint64_t drawn = mixed(seed, (uint64_t)operation.transpose_a << 16 |
                                     (uint64_t)operation.transpose_b << 8 | (uint64_t)operation.epilogue);

    for (int i = 0; i < 3; i++) {
        const df_emulated_layout &m = *layouts[i];
        for (uint64_t value : {(uint64_t)m.type, m.rows, m.columns, (uint64_t)m.ld})
            drawn = mixed(drawn, value);
    }
    return mixed(drawn, 0) >> 32;
}

/* Of a product: each of the refusals that there are with one half, all of them with an eighth. */
static unsigned refusals_of(const df_emulated_matmul &operation, const df_emulated_layout &a,
                            const df_emulated_layout &b, const df_emulated_layout &d)
{
    const df_emulated_layout *const layouts[] = {&a, &b, &d};

    if (!(refusals() & DF_REFUSE_AT_RANDOM))
        return refusals();
    const uint64_t drawn = draw(operation, layouts);
    const unsigned some = DF_REFUSE_UNALIGNED | DF_REFUSE_EPILOGUE | DF_REFUSE_NARROW | DF_REFUSE_LATE;
    return ((unsigned)drawn & some) | (drawn >> 8 & 7 ? 0u : (unsigned)DF_REFUSE_ALL);
}

static bool is_unaligned(const df_emulated_layout &m)
{
    return (size_t)m.ld * type_bytes(m.type) % 16 != 0;
}

/* `a`'s rows or columns are the depth. */
bool is_refused(const df_emulated_matmul &operation, const df_emulated_layout &a, const df_emulated_layout &b,
                const df_emulated_layout &d)
{
    const unsigned what = refusals_of(operation, a, b, d);
    const uint64_t depth = operation.transpose_a == CUBLAS_OP_N ? a.columns : a.rows;

    return (what & DF_REFUSE_ALL) || ((what & DF_REFUSE_NARROW) && d.type == CUDA_R_16BF) ||
           ((what & DF_REFUSE_EPILOGUE) && operation.epilogue != CUBLASLT_EPILOGUE_DEFAULT) ||
           ((what & DF_REFUSE_UNALIGNED) &&
            (is_unaligned(a) || is_unaligned(b) || depth * type_bytes(a.type) % 16 != 0));
}

bool is_listed(const df_emulated_matmul &operation, const df_emulated_layout &a, const df_emulated_layout &b,
               const df_emulated_layout &d)
{
    return (refusals_of(operation, a, b, d) & DF_REFUSE_LATE) || !is_refused(operation, a, b, d);
}

extern "C" void df_emulation_set_refusals(unsigned value)
{
    refusals() = value;
}

} // namespace emulation
