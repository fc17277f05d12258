#include "version.h"

#include "dinoft/build.h"
#include "dinoft/clock.h"
#include "dinoft/facts.h"
#include "dinoft/revision.h"
#include "dinoft/version.h"

#include <stdlib.h>

const char *program_text(void)
{
    return "dinoft " DINOFT_VERSION ", revision " DINOFT_REVISION;
}

const char *made_text(char text[MADE_TEXT])
{
    char date[DF_DATE_TEXT];

    snprintf(text, MADE_TEXT, "%s, %s", df_date_text(date), program_text());
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
