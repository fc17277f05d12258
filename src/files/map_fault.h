/* Which memory is a mapped file's: for the handler of SIGBUS, see mapped_file.h. */
#ifndef DINOFT_FILES_MAP_FAULT_H
#define DINOFT_FILES_MAP_FAULT_H

#include <stddef.h>

/* -1 with the error set where no more files can be watched. */
int df_map_fault_watch(const void *bytes, size_t size, const char *path);
void df_map_fault_forget(const void *bytes);

#endif
