/* How much of the machine is left to take. */
#ifndef DINOFT_AVAILABLE_H
#define DINOFT_AVAILABLE_H

#include <stddef.h>

/* Bytes of memory that can be had without swapping: the system's estimate, or what the process' control
 * group (a container's, a batch job's) leaves where that is less. SIZE_MAX where neither says. */
size_t df_available_memory(void);

/* Bytes that a user may still write to the file system of an existing folder; SIZE_MAX where it does not say.
 */
size_t df_available_disk(const char *folder);

#endif
