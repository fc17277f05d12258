/* Text files of one entry a line. */
#ifndef DINOFT_DATA_LINES_H
#define DINOFT_DATA_LINES_H

#include <stddef.h>
#include <stdint.h>

/* Calls use for each line that is not blank, until one call fails: with the line's number from 1 on and its
 * text without the white space around it, not terminated. */
int df_each_line(const char *path, int (*use)(void *context, int64_t number, const char *text, size_t length),
                 void *context);

#endif
