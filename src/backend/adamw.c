#include "dinoft/backend.h"

#include <math.h>

/* In the order of PyTorch's operations. */
struct df_adamw_scalars df_adamw_scalars(const struct df_adamw *settings)
{
    const double bias1 = 1.0 - pow(settings->beta1, (double)settings->step);
    const double bias2 = 1.0 - pow(settings->beta2, (double)settings->step);

    return (struct df_adamw_scalars){
        .decay = (float)(1.0 - settings->lr * settings->weight_decay),
        .one_minus_beta1 = (float)(1.0 - settings->beta1),
        .beta2 = (float)settings->beta2,
        .one_minus_beta2 = (float)(1.0 - settings->beta2),
        .step_size = (float)(settings->lr / bias1),
        .bias2_sqrt = (float)sqrt(bias2),
        .eps = (float)settings->eps,
    };
}
