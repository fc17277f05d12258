#include "dinoft/log.h"

#include "dinoft/text.h"

#include <stdarg.h>
#include <stdio.h>

void df_log(const char *format, ...)
{
    char line[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    df_text_replace_controls(line);
    fprintf(stderr, "dinoft: %s\n", line); /* one call, so that lines of several threads do not mix */
}
