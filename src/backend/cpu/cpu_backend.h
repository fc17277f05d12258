/* The operations of the CPU backend: df_cpu_NAME for each one in dinoft/operation_list.h, in the file of its
 * name or of its group. Private to src/backend/cpu and its tests. */
#ifndef DINOFT_CPU_BACKEND_H
#define DINOFT_CPU_BACKEND_H

#include "dinoft/backend.h"

#define DF_NO_BATCHES                             /* its memory is the host's */
#define DF_ROW(type, name, parameters, arguments) type df_cpu_##name parameters;
#include "dinoft/operation_list.h"

#endif
