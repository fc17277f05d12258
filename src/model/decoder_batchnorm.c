#include "decoder_batchnorm.h"

#include "dinoft/error.h"

#include <stdio.h>

/* PyTorch's. */
#define EPS      1e-5f
#define MOMENTUM 0.1f

int df_batchnorm_add(struct df_parameters *parameters, const char *prefix, int64_t channels)
{
    static const struct {
        const char *name;
        enum df_parameter_kind kind;
        enum df_init init;
        int ndim;
    } tensors[DF_NORM_TENSORS] = {
        [DF_NORM_WEIGHT] = {"weight", DF_PARAMETER_DECODER, DF_INIT_ONE, 1},
        [DF_NORM_BIAS] = {"bias", DF_PARAMETER_DECODER, DF_INIT_ZERO, 1},
        [DF_NORM_MEAN] = {"running_mean", DF_PARAMETER_BUFFER, DF_INIT_ZERO, 1},
        [DF_NORM_VARIANCE] = {"running_var", DF_PARAMETER_BUFFER, DF_INIT_ONE, 1},
        [DF_NORM_BATCHES] = {"num_batches_tracked", DF_PARAMETER_COUNTER, DF_INIT_ZERO, 0},
    };
    char name[64];

    for (int i = 0; i < DF_NORM_TENSORS; i++) {
        snprintf(name, sizeof name, "%s.%s", prefix, tensors[i].name);
        DF_TRY(df_parameters_add(parameters, name, tensors[i].kind, tensors[i].init, 0, tensors[i].ndim,
                                 &channels));
    }
    return 0;
}

struct df_batchnorm df_batchnorm_over(const struct df_parameter own[DF_NORM_TENSORS], int64_t first,
                                      int64_t channels, int64_t rows, float *mean, float *rstd)
{
    return (struct df_batchnorm){
        .rows = rows,
        .channels = channels,
        .eps = EPS,
        .momentum = MOMENTUM,
        .gamma = own[DF_NORM_WEIGHT].value + first,
        .beta = own[DF_NORM_BIAS].value + first,
        .running_mean = own[DF_NORM_MEAN].value + first,
        .running_var = own[DF_NORM_VARIANCE].value + first,
        .save_mean = mean,
        .save_rstd = rstd,
    };
}
