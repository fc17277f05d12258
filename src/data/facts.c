#include "dinoft/facts.h"

#include <stdlib.h> /* jpeglib.h wants size_t */
#include <string.h>

#include <jpeglib.h>
#include <spng.h>
#include <tiffio.h>
#include <webp/decode.h>

/* The library does not say its version; its header does. */
#ifdef LIBJPEG_TURBO_VERSION
#define JPEG_NAME    "libjpeg-turbo"
#define JPEG_VERSION DF_FACT_OF(LIBJPEG_TURBO_VERSION)
#else
#define JPEG_NAME    "libjpeg"
#define JPEG_VERSION DF_FACT_OF(JPEG_LIB_VERSION)
#endif

/* "LIBTIFF, Version 4.5.0\nCopyright …" */
static void print_tiff(FILE *stream)
{
    static const char before[] = "Version ";
    const char *text = strstr(TIFFGetVersion(), before);
    char version[32];

    text = text ? text + strlen(before) : "unknown";
    snprintf(version, sizeof version, "%.*s", (int)strcspn(text, "\n"), text);
    df_fact_library(stream, "libtiff", version, NULL, "TIFFGetVersion");
}

static void print_webp(FILE *stream)
{
    const int number = WebPGetDecoderVersion();
    char version[32];

    snprintf(version, sizeof version, "%d.%d.%d", number >> 16, number >> 8 & 255, number & 255);
    df_fact_library(stream, "libwebp", version, NULL, "WebPGetDecoderVersion");
}

void df_data_facts(FILE *stream)
{
    df_fact_library(stream, JPEG_NAME, JPEG_VERSION " when dinoft was built", NULL, "jpeg_std_error");
    df_fact_library(stream, "libspng", spng_version_string(), NULL, "spng_version_string");
    print_tiff(stream);
    print_webp(stream);
}
