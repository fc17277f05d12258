#include "dinoft/facts.h"

#include "lapack.h"

void df_analysis_facts(FILE *stream)
{
    char version[64];
    int major = 0, minor = 0, patch = 0;

    ilaver_(&major, &minor, &patch);
    snprintf(version, sizeof version, "%d.%d.%d", major, minor, patch);
    df_fact_library(stream, "LAPACK", version, NULL, "dsyevr_");
    df_fact_library(stream, "BLAS", "as LAPACK finds it", NULL, "dgemm_");
}
