/* Operations whose cases are still to be moved here. */
#include "build.h"
#define PENDING(name) const struct df_case_set df_cases_##name = {0};
PENDING(linear_forward)
PENDING(linear_backward)
PENDING(matmul)
PENDING(column_sum)
PENDING(add_bias)
PENDING(image_normalize)
PENDING(patchify)
PENDING(assemble_tokens)
PENDING(layernorm_forward)
PENDING(layernorm_backward)
PENDING(rope)
PENDING(convert)
