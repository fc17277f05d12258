/* Work that uses the device, or threads of its own, on every image of a list. */
#ifndef DINOFT_EACH_INPUT_H
#define DINOFT_EACH_INPUT_H

#include "decode_ahead.h"
#include "inputs.h"

/* Works on the done-th image that could be read, which is inputs->items[i]. 0, or -1 with the error set. */
typedef int each_input_work(void *context, const struct decoded *image, size_t i, size_t done);

/* Works on one image after the other, which are read ahead, with progress under a label. One that cannot be
 * read is noted as failed, and the others are done. 0; 1 with the error of the work that failed, or if no
 * image could be read; or EXIT_INTERRUPTED: a command's exit status, but for images that could not be read,
 * which inputs_status() knows. After a failure of the work or Ctrl-C none is begun. */
int each_input_in_order(struct inputs *inputs, const struct decode_options *options, int64_t workers,
                        const char *label, each_input_work *work, void *context);

/* Says what a run that was stopped has left: after `done` images of all. */
void each_input_tell_left(const struct inputs *inputs, size_t done, const char *advice);

#endif
