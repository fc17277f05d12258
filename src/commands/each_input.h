/* Work on every image of the command line, with progress under a label.
 *
 * work(context, i) returns 0, or -1 with the error set. The functions return the command's exit status: 0, 1
 * with the error of the first image that failed, or EXIT_INTERRUPTED. After a failure or Ctrl-C none is
 * begun. */
#ifndef DINOFT_EACH_INPUT_H
#define DINOFT_EACH_INPUT_H

#include "dinoft/config.h"

typedef int each_input_work(void *context, int i);

/* One after the other. */
int each_input_in_order(const struct df_config *config, const char *label, each_input_work *work,
                        void *context);

/* Several at a time, as many as OpenMP has threads, begun in their order: for work that does not depend on
 * other images' and uses one thread. */
int each_input_at_once(const struct df_config *config, const char *label, each_input_work *work,
                       void *context);

#endif
