/* Operations whose cases are still to be moved here. */
#include "build.h"
#define PENDING(name) const struct df_case_set df_cases_##name = {0};
PENDING(attention_forward)
PENDING(attention_backward)
PENDING(conv_forward)
PENDING(conv_backward_data)
PENDING(conv_backward_weight)
PENDING(batchnorm_relu_forward)
PENDING(batchnorm_relu_backward)
PENDING(nearest_forward)
PENDING(nearest_backward)
