/* The facts of each device (dinoft/facts.h). Private to src/backend. */
#ifndef DINOFT_BACKEND_FACTS_H
#define DINOFT_BACKEND_FACTS_H

#include "dinoft/dtype.h"

#include <stdbool.h>
#include <stdio.h>

/* The type that the precision "auto" means on the device (backend.c). */
enum df_dtype df_backend_auto_compute(bool cuda);

void df_cpu_facts(FILE *stream);
void df_cuda_facts(FILE *stream);

/* The text of the last error, which df_cuda_presence() or the search for a library has set, without the words
 * "device cuda: " in front of it. */
const char *df_cuda_reason(void);

#endif
