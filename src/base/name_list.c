#include "dinoft/name_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char more[] = ", ...";

void df_name_list_add(struct df_name_list *list, const char *format, ...)
{
    const size_t used = strlen(list->text), before = list->count++;
    const size_t capacity = sizeof list->text - sizeof more; /* there is always some for the end */
    const char *comma = before > 0 ? ", " : "";
    char name[sizeof list->text - sizeof more - 2];
    va_list arguments;

    if (list->named < before) /* the end is there already */
        return;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments); /* one that is too long is cut */
    va_end(arguments);
    if (before < list->most && used + strlen(comma) + strlen(name) < capacity) {
        snprintf(list->text + used, capacity - used, "%s%s", comma, name);
        list->named++;
    } else {
        snprintf(list->text + used, sizeof list->text - used, "%s", more);
    }
}
