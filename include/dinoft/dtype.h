/* Element types of tensors, in files and in memory. */
#ifndef DINOFT_DTYPE_H
#define DINOFT_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum df_dtype {
    DF_F32,
    DF_F16,
    DF_BF16,
    DF_F64,
    DF_I64,
    DF_I32,
    DF_I16,
    DF_I8,
    DF_U8,
    DF_BOOL,
    DF_DTYPE_COUNT
};

/* Bytes of one element. */
size_t df_dtype_size(enum df_dtype dtype);

/* "float32", "bfloat16", … as PyTorch names them. */
const char *df_dtype_name(enum df_dtype dtype);

/* Whether it is a floating-point type. */
bool df_dtype_is_float(enum df_dtype dtype);

/* Converts count elements of any type to float32 (integers by value, bool to 0 / 1). The source may be
 * unaligned. */
void df_convert_to_f32(float *destination, const void *source, enum df_dtype type, size_t count);

/* Converts count float32 values to DF_F32, DF_F16 or DF_BF16, rounding to nearest even. -1 for another type.
 */
int df_convert_from_f32(void *destination, enum df_dtype type, const float *source, size_t count);

/* Whether none of the values is NaN or infinite. */
bool df_all_finite(const float *values, size_t count);

/* No trained model has weights beyond this. From about 1e19 on, squares overflow, which a normalisation
 * hides: what comes out looks like a result. */
#define DF_WEIGHT_MAX 1e15f

/* -1 with the error set, which begins with the tensor's name, for values that are not finite or too large. */
int df_check_weights(const char *name, const float *values, size_t count);

/* One element. */
float df_f16_to_f32(uint16_t bits);
float df_bf16_to_f32(uint16_t bits);
uint16_t df_f32_to_f16(float value);
uint16_t df_f32_to_bf16(float value);

#endif
