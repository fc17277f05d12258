#include "foreign_formats.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *ending, *name;
} endings[] = {{".tif", "TIFF"},      {".tiff", "TIFF"},   {".webp", "WebP"}, {".jp2", "JPEG 2000"},
               {".j2k", "JPEG 2000"}, {".jxl", "JPEG XL"}, {".heic", "HEIC"}, {".heif", "HEIF"},
               {".avif", "AVIF"},     {".exr", "OpenEXR"}, {".svg", "SVG"},   {".dng", "DNG"},
               {".psd", "PSD"},       {".npy", "NumPy"},   {".npz", "NumPy"}, {".mat", "MATLAB"}};

static const struct {
    const char *name;
    size_t at, length; /* where the bytes stand */
    const char *bytes;
} contents[] = {
    {"PSD", 0, 4, "8BPS"},         {"HEIC", 4, 7, "ftyphei"},   {"HEIF", 4, 8, "ftypmif1"},
    {"AVIF", 4, 7, "ftypavi"},     {"JPEG 2000", 4, 4, "jP  "}, {"JPEG 2000", 0, 4, "\xff\x4f\xff\x51"},
    {"JPEG XL", 0, 2, "\xff\x0a"}, {"JPEG XL", 4, 4, "JXL "},   {"OpenEXR", 0, 4, "\x76\x2f\x31\x01"},
    {"NumPy", 0, 6, "\x93NUMPY"}};

const char *df_foreign_format_of_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++) {
        if (strcasecmp(dot, endings[i].ending) == 0)
            return endings[i].name;
    }
    return NULL;
}

const char *df_foreign_format_of_content(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        if (size >= contents[i].at + contents[i].length &&
            memcmp(bytes + contents[i].at, contents[i].bytes, contents[i].length) == 0)
            return contents[i].name;
    }
    return NULL;
}
