/* The operations of the CUDA backend: df_cuda_NAME for each one in dinoft/operation_list.h, in the file of
 * its name or of its group. They hand their work to the kernels of the same name (df_launch_NAME,
 * kernels/kernels.h) or to a library. Private to src/backend/cuda and its tests. */
#ifndef DINOFT_CUDA_BACKEND_H
#define DINOFT_CUDA_BACKEND_H

#include "dinoft/backend.h"

#define DF_ROW(type, name, parameters, arguments) type df_cuda_##name parameters;
#include "dinoft/operation_list.h"

#endif
