/* Work that uses the device, or threads of its own, on every image of the command line. */
#ifndef DINOFT_EACH_INPUT_H
#define DINOFT_EACH_INPUT_H

#include "dinoft/config.h"

/* Works on image i. 0, or -1 with the error set. */
typedef int each_input_work(void *context, int i);

/* Works on one image after the other, with progress under a label. The command's exit status: 0, 1 with the
 * error of the image that failed, or EXIT_INTERRUPTED. After a failure or Ctrl-C none is begun. */
int each_input_in_order(const struct df_config *config, const char *label, each_input_work *work,
                        void *context);

#endif
