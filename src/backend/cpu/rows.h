/* Matrices converted between float32 and bfloat16. Private to src/backend/cpu. */
#ifndef DINOFT_ROWS_H
#define DINOFT_ROWS_H

#include "dinoft/backend.h"

/* count numbers of float32 from bfloat16, and back (df_bf16_narrow), on the calling thread. */
void df_widen(float *to, const uint16_t *from, int64_t count);
void df_narrow(uint16_t *to, const float *from, int64_t count);

/* Row i of to = row i of from, on the calling thread. */
void df_row_convert(const struct df_matrix *to, const struct df_matrix *from, int64_t i);

/* to = from, of the same size and each DF_F32 or DF_BF16. */
void df_matrix_copy(struct df_backend *backend, const struct df_matrix *to, const struct df_matrix *from);

#endif
