#include "dinoft/facts.h"

#include <cjson/cJSON.h>
#include <zlib.h>

void df_files_facts(FILE *stream)
{
    df_fact_library(stream, "zlib", zlibVersion(), NULL, "zlibVersion");
    df_fact_library(stream, "cJSON", cJSON_Version(), NULL, "cJSON_Version");
}
