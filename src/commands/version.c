#include "version.h"

#include "dinoft/build.h"
#include "dinoft/facts.h"
#include "dinoft/revision.h"
#include "dinoft/version.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

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

const char *made_text(char text[MADE_TEXT])
{
    const time_t when = time_of_making();
    char day[40] = "at an unknown time";
    struct tm parts;

    if (gmtime_r(&when, &parts))
        strftime(day, sizeof day, "%Y-%m-%d %H:%M UTC", &parts);
    snprintf(text, MADE_TEXT, "%s, dinoft %s, revision %s", day, DINOFT_VERSION, DINOFT_REVISION);
    return text;
}

static void build_facts(FILE *stream)
{
    char *program = realpath("/proc/self/exe", NULL);

    df_fact(stream, "version", "dinoft %s", DINOFT_VERSION);
    df_fact(stream, "revision", "%s", DINOFT_REVISION);
    df_fact(stream, "build", "%s (%s), %s, for %s", DINOFT_BUILD_TYPE, DINOFT_BUILD_FLAGS,
            DINOFT_BUILD_COMPILER, DINOFT_BUILD_SYSTEM);
    df_fact(stream, "options", "CUDA %s; sanitizers %s", DINOFT_BUILD_CUDA, DINOFT_BUILD_SANITIZERS);
    df_fact(stream, "program", "%s", program ? program : "unknown");
    free(program);
}

void print_facts(FILE *stream)
{
    build_facts(stream);
    df_machine_facts(stream);
    df_backend_facts(stream);
    df_files_facts(stream);
    df_data_facts(stream);
    df_analysis_facts(stream);
    df_environment_facts(stream);
}
