#include "dinoft/facts.h"

#include <stdlib.h> /* jpeglib.h wants size_t */

#include <jpeglib.h>
#include <spng.h>

/* The library does not say its version; its header does. */
#ifdef LIBJPEG_TURBO_VERSION
#define JPEG_NAME    "libjpeg-turbo"
#define JPEG_VERSION DF_FACT_OF(LIBJPEG_TURBO_VERSION)
#else
#define JPEG_NAME    "libjpeg"
#define JPEG_VERSION DF_FACT_OF(JPEG_LIB_VERSION)
#endif

void df_data_facts(FILE *stream)
{
    df_fact_library(stream, JPEG_NAME, JPEG_VERSION " when dinoft was built", NULL, "jpeg_std_error");
    df_fact_library(stream, "libspng", spng_version_string(), NULL, "spng_version_string");
}
