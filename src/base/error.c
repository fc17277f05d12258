#include "dinoft/error.h"

#include "dinoft/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char error_text[DF_ERROR_TEXT_MAX];

int df_error_set(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error_text, sizeof error_text, format, arguments);
    va_end(arguments);
    df_text_replace_controls(error_text); /* names from files end up here */
    return -1;
}

int df_error_context(const char *format, ...)
{
    char context[DF_ERROR_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(context, sizeof context - 2, format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : strlen(context);
    memcpy(context + used, ": ", 3);
    used += 2;
    size_t rest = sizeof error_text - 1 - used;
    size_t kept = strlen(error_text) < rest ? strlen(error_text) : rest;
    memmove(error_text + used, error_text, kept);
    error_text[used + kept] = '\0';
    memcpy(error_text, context, used);
    df_text_replace_controls(error_text);
    return -1;
}

int df_error_memory(const char *what, unsigned long long bytes)
{
    return df_error_set("out of memory: %s needs %llu bytes", what, bytes);
}

const char *df_error_text(void)
{
    return error_text;
}
