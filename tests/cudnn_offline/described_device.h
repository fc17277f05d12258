/* The real cuDNN, which plans for a device that is only described to it.
 *
 * The backend calls cuDNN through a table of its functions (src/backend/cuda/libraries.h). In the context of
 * described_device_open() the table is the real library's, but where the backend sets a handle, the
 * description is set instead: no handle can be had without a device. */
#ifndef DINOFT_TESTS_DESCRIBED_DEVICE_H
#define DINOFT_TESTS_DESCRIBED_DEVICE_H

#include "src/backend/cuda/cuda_context.h"

/* false where cuDNN is not installed; the error says so. */
bool cudnn_library_open(void);

/* The library itself, as loaded. */
const struct df_cudnn *cudnn_library(void);

/* One at a time. NULL with the error set where the library does not accept the description. */
struct df_cuda_context *described_device_open(const char *file);
void described_device_close(struct df_cuda_context *context);

double seconds_now(void);

#endif
