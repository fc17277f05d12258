#include "dinoft/log.h"

#include "dinoft/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE 2048
#define TIME_SIZE (sizeof DF_LOG_TIME)

/* The command line's; beside the error's text the only state of the process that a module keeps, since a line
 * may come from anywhere. */
static struct {
    bool quiet;
    int file;
    atomic_bool complained;
} settings = {.file = -1};

static void show(const char *text)
{
    /* One call, so that lines of several threads do not mix. On a terminal the line takes the place of a
     * progress bar, which is drawn anew below it. */
    fprintf(stderr, "%sdinoft: %s\n", isatty(STDERR_FILENO) ? "\r\x1b[K" : "", text);
}

/* In one write to the end of the file: it mixes neither with other threads' nor with another process's. */
static void append(const char *text)
{
    char line[TIME_SIZE + TEXT_SIZE];
    const time_t now = time(NULL);
    struct tm local;
    ssize_t written;

    if (settings.file < 0)
        return;
    if (!localtime_r(&now, &local) || strftime(line, TIME_SIZE, "%Y-%m-%d %H:%M:%S ", &local) == 0)
        memcpy(line, DF_LOG_TIME, TIME_SIZE);
    const size_t used = strlen(line);
    const size_t length = used + (size_t)snprintf(line + used, sizeof line - used, "%s\n", text);
    do
        written = write(settings.file, line, length);
    while (written < 0 && errno == EINTR);
    if (written != (ssize_t)length && !atomic_exchange(&settings.complained, true))
        fprintf(stderr, "dinoft: warning: the log file lacks lines from here on: %s\n",
                written < 0 ? strerror(errno) : "there is no space left");
}

void df_log(const char *format, ...)
{
    char text[TEXT_SIZE - 1];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    df_text_replace_controls(text);
    if (!settings.quiet || df_text_starts_with(text, "warning: ") || df_text_starts_with(text, "error: "))
        show(text);
    append(text);
}

void df_log_to_file(const char *format, ...)
{
    char text[TEXT_SIZE - 1];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    df_text_replace_controls(text);
    append(text);
}

void df_log_settings(bool quiet, int file)
{
    settings.quiet = quiet;
    settings.file = file;
}

bool df_log_is_quiet(void)
{
    return settings.quiet;
}

int df_log_file(void)
{
    return settings.file;
}
