/* GELU in bfloat16 with AVX-512, where compilers make half vectors of activation.c's loops and convert in six
 * instructions. Only for processors with DF_BF16_AVX512. Private to src/backend/cpu. */
#ifndef DINOFT_GELU_BF16_H
#define DINOFT_GELU_BF16_H

#include <stdint.h>

/* y = gelu(x), count elements. */
void df_gelu_bf16_avx512(const uint16_t *x, uint16_t *y, int64_t count);

/* dx = dy * gelu'(x); dx may be dy. */
void df_gelu_gradient_bf16_avx512(const uint16_t *x, const uint16_t *dy, uint16_t *dx, int64_t count);

#endif
