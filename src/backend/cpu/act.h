/* Elements of tensors of type "act": float32 or bfloat16 in memory, float32 to compute with. Private to
 * src/backend/cpu.
 *
 * A loop is written once, as a DF_INLINE function that takes the type first. DF_ACT_CALL makes the type a
 * constant in it, so that the compiler builds and vectorises one loop for each. */
#ifndef DINOFT_ACT_H
#define DINOFT_ACT_H

#include "bf16.h"

#include "dinoft/dtype.h"

DF_INLINE float df_act_load(enum df_dtype type, const void *data, int64_t i)
{
    return type == DF_BF16 ? df_bf16_widen(((const uint16_t *)data)[i]) : ((const float *)data)[i];
}

DF_INLINE void df_act_store(enum df_dtype type, void *data, int64_t i, float value)
{
    if (type == DF_BF16)
        ((uint16_t *)data)[i] = df_bf16_narrow(value);
    else
        ((float *)data)[i] = value;
}

/* function(type, …), for a function without a result. */
#define DF_ACT_CALL(type, function, ...)                                                                     \
    do {                                                                                                     \
        if ((type) == DF_BF16)                                                                               \
            function(DF_BF16, __VA_ARGS__);                                                                  \
        else                                                                                                 \
            function(DF_F32, __VA_ARGS__);                                                                   \
    } while (0)

#endif
