#include "dinoft/dtype.h"

#include "dinoft/error.h"

#include <math.h>
#include <string.h>

static const struct {
    size_t size;
    const char *name;
} types[DF_DTYPE_COUNT] = {
    [DF_F32] = {4, "float32"}, [DF_F16] = {2, "float16"}, [DF_BF16] = {2, "bfloat16"},
    [DF_F64] = {8, "float64"}, [DF_I64] = {8, "int64"},   [DF_I32] = {4, "int32"},
    [DF_I16] = {2, "int16"},   [DF_I8] = {1, "int8"},     [DF_U8] = {1, "uint8"},
    [DF_BOOL] = {1, "bool"},
};

size_t df_dtype_size(enum df_dtype dtype)
{
    return types[dtype].size;
}

const char *df_dtype_name(enum df_dtype dtype)
{
    return types[dtype].name;
}

bool df_dtype_is_float(enum df_dtype dtype)
{
    return dtype == DF_F32 || dtype == DF_F16 || dtype == DF_BF16 || dtype == DF_F64;
}

float df_bf16_to_f32(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

uint16_t df_f32_to_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (uint16_t)((bits >> 16) |
                          0x40); /* keep it a (quiet) NaN: rounding could turn it into infinity */
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float df_f16_to_f32(uint16_t bits)
{
    int sign = bits >> 15;
    int exponent = (bits >> 10) & 31;
    int mantissa = bits & 1023;
    float value;

    if (exponent == 31)
        value = mantissa ? NAN : INFINITY;
    else if (exponent == 0)
        value = ldexpf((float)mantissa, -24);
    else
        value = ldexpf((float)(mantissa + 1024), exponent - 25);
    return sign ? -value : value;
}

uint16_t df_f32_to_f16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)((bits >> 16) & 0x8000);
    float magnitude = fabsf(value);

    if (isnan(value))
        return sign | 0x7e00;
    if (magnitude >= 65520.0f) /* halfway between the largest half, 65504, and what would be the next */
        return sign | 0x7c00;
    if (magnitude < 0x1p-14f) /* subnormal halves are multiples of 2^-24; rintf rounds to nearest even */
        return sign | (uint16_t)rintf(magnitude * 0x1p24f);
    int exponent;
    float fraction = frexpf(magnitude, &exponent);           /* in [0.5, 1) */
    uint32_t mantissa = (uint32_t)rintf(fraction * 2048.0f); /* 1024..2048, 2048 carries into the exponent */
    return sign | (uint16_t)((uint32_t)(exponent + 13) * 1024 + mantissa);
}

#define CONVERT_EACH(type, expression)                                                                       \
    for (size_t i = 0; i < count; i++) {                                                                     \
        type element;                                                                                        \
        memcpy(&element, (const char *)source + i * sizeof(type), sizeof(type));                             \
        destination[i] = (expression);                                                                       \
    }                                                                                                        \
    break

void df_convert_to_f32(float *destination, const void *source, enum df_dtype dtype, size_t count)
{
    switch (dtype) {
    case DF_F32:
        memcpy(destination, source, count * sizeof(float));
        break;
    case DF_F16:
        CONVERT_EACH(uint16_t, df_f16_to_f32(element));
    case DF_BF16:
        CONVERT_EACH(uint16_t, df_bf16_to_f32(element));
    case DF_F64:
        CONVERT_EACH(double, (float)element);
    case DF_I64:
        CONVERT_EACH(int64_t, (float)element);
    case DF_I32:
        CONVERT_EACH(int32_t, (float)element);
    case DF_I16:
        CONVERT_EACH(int16_t, (float)element);
    case DF_I8:
        CONVERT_EACH(int8_t, (float)element);
    case DF_U8:
        CONVERT_EACH(uint8_t, (float)element);
    case DF_BOOL:
        CONVERT_EACH(uint8_t, element != 0 ? 1.0f : 0.0f);
    case DF_DTYPE_COUNT:
        break;
    }
}

bool df_all_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            return false;
    }
    return true;
}

int df_check_weights(const char *name, const float *values, size_t count)
{
    unsigned unusual = 0; /* without a branch, for which the compiler would look at one after the other */

    for (size_t i = 0; i < count; i++)
        unusual |= !(fabsf(values[i]) <= DF_WEIGHT_MAX);
    if (!unusual)
        return 0;
    if (!df_all_finite(values, count))
        return df_error_set("%s holds values that are not numbers", name);
    for (size_t i = 0; i < count; i++) {
        if (fabsf(values[i]) > DF_WEIGHT_MAX)
            return df_error_set("%s holds a value of %g: no trained model has weights beyond %g", name,
                                (double)values[i], (double)DF_WEIGHT_MAX);
    }
    return 0;
}

int df_convert_from_f32(void *destination, enum df_dtype dtype, const float *source, size_t count)
{
    uint16_t *half = destination;

    switch (dtype) {
    case DF_F32:
        memcpy(destination, source, count * sizeof(float));
        return 0;
    case DF_F16:
        for (size_t i = 0; i < count; i++)
            half[i] = df_f32_to_f16(source[i]);
        return 0;
    case DF_BF16:
        for (size_t i = 0; i < count; i++)
            half[i] = df_f32_to_bf16(source[i]);
        return 0;
    default:
        return df_error_set("cannot convert float32 to %s", df_dtype_name(dtype));
    }
}
