/* The first few of many names and how many there are, for a line that cannot hold them all. */
#ifndef DINOFT_NAME_LIST_H
#define DINOFT_NAME_LIST_H

#include <stddef.h>

struct df_name_list {
    size_t most;         /* names that are listed; the rest is counted */
    size_t count, named; /* so far */
    char text[640];      /* "a, b, c", and ", ..." once there are more */
};

/* Adds a name, to the text where it fits. */
void df_name_list_add(struct df_name_list *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
