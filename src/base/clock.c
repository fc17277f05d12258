#include "dinoft/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double df_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds since 1970, as https://reproducible-builds.org/specs/source-date-epoch/ has them; now, where it has
 * none. */
static time_t time_of_making(void)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL;

    errno = 0;
    const long long seconds = text && isdigit((unsigned char)*text) ? strtoll(text, &end, 10) : 0;
    return end && !*end && errno == 0 ? (time_t)seconds : time(NULL);
}

const char *df_date_text(char text[DF_DATE_TEXT])
{
    const time_t when = time_of_making();
    struct tm parts;

    snprintf(text, DF_DATE_TEXT, "at an unknown time");
    if (gmtime_r(&when, &parts))
        strftime(text, DF_DATE_TEXT, "%Y-%m-%d %H:%M UTC", &parts);
    return text;
}
