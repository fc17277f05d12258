/* Sums of tensor cores: float32, of products of bfloat16, which are exact. DF_EMULATION_SUMS=truncated makes
 * them as bad as any device's; otherwise they are rounded to nearest one by one. */
#ifndef EMULATION_TENSOR_CORE_SUM_H
#define EMULATION_TENSOR_CORE_SUM_H

namespace emulation
{

bool sums_are_truncated();

const unsigned products_at_once = 8;

/* sum + products [count], count up to products_at_once, truncated. */
float add_truncated(float sum, const float *products, unsigned count);

/* The same for any number of products, which `product(i)` gives. */
template <typename F> inline float sum_truncated(float sum, unsigned long count, F product)
{
    float some[products_at_once];

    for (unsigned long i = 0; i < count; i += products_at_once) {
        const unsigned here = count - i < products_at_once ? (unsigned)(count - i) : products_at_once;
        for (unsigned j = 0; j < here; j++)
            some[j] = product(i + j);
        sum = add_truncated(sum, some, here);
    }
    return sum;
}

/* From 0 on, as the setting has it. */
template <typename F> inline float tensor_core_sum(unsigned long count, F product)
{
    float sum = 0.0f;

    if (sums_are_truncated())
        return sum_truncated(sum, count, product);
    for (unsigned long i = 0; i < count; i++)
        sum += product(i);
    return sum;
}

} // namespace emulation

#endif
