#define _GNU_SOURCE /* dladdr, RTLD_DEFAULT */

#include "dinoft/facts.h"

#include "dinoft/text.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define KEY_COLUMNS     20
#define VALUE_MAX_BYTES 8192

void df_fact(FILE *stream, const char *key, const char *format, ...)
{
    char value[VALUE_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    df_text_replace_controls(value);
    fprintf(stream, "%s:%*s %s%s\n", key, KEY_COLUMNS - (int)strlen(key) - 1, "", value,
            length >= VALUE_MAX_BYTES ? "..." : "");
}

char *df_loaded_file(void *handle, const char *function)
{
    void *address = dlsym(handle ? handle : RTLD_DEFAULT, function);
    Dl_info info;

    return address && dladdr(address, &info) != 0 && info.dli_fname ? realpath(info.dli_fname, NULL) : NULL;
}

void df_fact_library(FILE *stream, const char *key, const char *version, void *handle, const char *function)
{
    char *file = df_loaded_file(handle, function);

    df_fact(stream, key, "%s, %s", version, file ? file : "part of the program");
    free(file);
}
