#include "dinoft/error.h"

#include "dinoft/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct df_error error;

int df_error_set(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.text, sizeof error.text, format, arguments);
    va_end(arguments);
    df_text_replace_controls(error.text); /* names from files end up here */
    error.is_memory = false;
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
    size_t rest = sizeof error.text - 1 - used;
    size_t kept = strlen(error.text) < rest ? strlen(error.text) : rest;
    memmove(error.text + used, error.text, kept);
    error.text[used + kept] = '\0';
    memcpy(error.text, context, used);
    df_text_replace_controls(error.text);
    return -1;
}

int df_error_advise(const char *format, ...)
{
    va_list arguments;
    const size_t used = strlen(error.text);

    if (error.is_memory)
        return -1;
    va_start(arguments, format);
    vsnprintf(error.text + used, sizeof error.text - used, format, arguments);
    va_end(arguments);
    df_text_replace_controls(error.text);
    return -1;
}

int df_error_memory(const char *what, unsigned long long bytes)
{
    if (bytes > 0)
        df_error_set("out of memory: %s needs %llu bytes", what, bytes);
    else
        df_error_set("out of memory: %s", what);
    error.is_memory = true;
    return -1;
}

bool df_error_is_memory(void)
{
    return error.is_memory;
}

const char *df_error_text(void)
{
    return error.text;
}

void df_error_keep(struct df_error *kept)
{
    *kept = error;
}

int df_error_again(const struct df_error *kept)
{
    error = *kept;
    return -1;
}
