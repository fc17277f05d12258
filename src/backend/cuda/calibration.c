#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

int df_cuda_calibration(struct df_backend *backend, const float *confidence, const uint8_t *prediction,
                        const uint8_t *labels, int64_t count, struct df_calibration_bin *bins)
{
    DF_TRY(df_cuda_zero(backend, bins, DF_CALIBRATION_BINS * sizeof *bins));
    return DF_LAUNCH_ON(backend, calibration, confidence, prediction, labels, count, bins);
}
