#include "tiff_file.h"

#include "codec.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of one piece (a strip or a tile), and of anything else that libtiff takes at a time. */
#define MEMORY_MOST (4 * DF_IMAGE_MAX_PIXELS)

/* Where libtiff says so and goes on, it has filled in pixels (of a fax, of a JPEG) or done without a part of
 * the header that lies beyond the file's end, such as a palette. */
static bool tells_of_loss(const char *text)
{
    static const char *const words[] = {"remature end",
                                        "remature EO",
                                        "bad Huffman code",
                                        "Bad code word",
                                        "Uncompressed data (not supported)",
                                        "IO error during reading of"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(text, words[i]))
            return true;
    }
    return false;
}

/* The first that tells of a loss, else the first error. */
static void note(struct df_tiff *tiff, bool is_error, const char *format, va_list arguments)
{
    char text[DF_TIFF_ERROR_TEXT];

    vsnprintf(text, sizeof text, format, arguments);
    const bool lost = tells_of_loss(text);
    if (tiff->lost || (!lost && (!is_error || *tiff->error)))
        return;
    tiff->lost = lost;
    memcpy(tiff->error, text, sizeof text);
    df_text_replace_controls(tiff->error);
}

/* Some errors are none: libtiff reports them and reads on, as where a strip has more bytes than it needs.
 * Those that are some come back from the function that was called. */
static int on_error(TIFF *file, void *user, const char *module, const char *format, va_list arguments)
{
    (void)file, (void)module;
    note(user, true, format, arguments);
    return 1;
}

static int on_warning(TIFF *file, void *user, const char *module, const char *format, va_list arguments)
{
    (void)file, (void)module;
    note(user, false, format, arguments);
    return 1;
}

/* What is missing, as where the file became shorter, is an error of libtiff's. */
static tmsize_t read_from_disk(struct df_tiff *tiff, char *buffer, size_t count)
{
    size_t done = 0;

    while (done < count) {
        const ssize_t more =
            pread(tiff->descriptor, buffer + done, count - done, (off_t)(tiff->position + done));
        if (more <= 0)
            break;
        done += (size_t)more;
    }
    tiff->position += done;
    return (tmsize_t)done;
}

static tmsize_t read_bytes(thandle_t user, void *buffer, tmsize_t size)
{
    struct df_tiff *tiff = user;
    const size_t left = tiff->size - tiff->position, wanted = size > 0 ? (size_t)size : 0;
    const size_t count = wanted < left ? wanted : left;

    if (!tiff->bytes)
        return read_from_disk(tiff, buffer, count);
    memcpy(buffer, tiff->bytes + tiff->position, count);
    tiff->position += count;
    return (tmsize_t)count;
}

static tmsize_t write_bytes(thandle_t user, void *buffer, tmsize_t size)
{
    (void)user, (void)buffer, (void)size;
    return 0;
}

/* Reading begins at the end for what lies beyond it. */
static toff_t seek_byte(thandle_t user, toff_t offset, int whence)
{
    struct df_tiff *tiff = user;
    const toff_t base = whence == SEEK_CUR ? tiff->position : whence == SEEK_END ? tiff->size : 0;
    const toff_t wanted = base + offset; /* unsigned: one that goes back wraps around */

    tiff->position = wanted < tiff->size ? (size_t)wanted : tiff->size;
    return wanted;
}

static int close_nothing(thandle_t user)
{
    (void)user;
    return 0;
}

static toff_t size_of(thandle_t user)
{
    return ((const struct df_tiff *)user)->size;
}

/* Pieces are decoded where they are: libtiff only reads there. */
static int map_bytes(thandle_t user, void **bytes, toff_t *size)
{
    const struct df_tiff *tiff = user;

    if (!tiff->bytes)
        return 0;
    *bytes = (void *)(uintptr_t)tiff->bytes;
    *size = tiff->size;
    return 1;
}

static void unmap_bytes(thandle_t user, void *bytes, toff_t size)
{
    (void)user, (void)bytes, (void)size;
}

static TIFF *open_file(struct df_tiff *tiff)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    TIFF *file = NULL;

    if (!options)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)MEMORY_MOST);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, tiff);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, tiff);
    file = TIFFClientOpenExt("TIFF", "r", tiff, read_bytes, write_bytes, seek_byte, close_nothing, size_of,
                             map_bytes, unmap_bytes, options);
    TIFFOpenOptionsFree(options);
    return file;
}

int df_tiff_fail(const struct df_tiff *tiff)
{
    return df_error_set("damaged TIFF: %s", *tiff->error ? tiff->error : "it cannot be decoded");
}

/* A number of the header that has a default. */
static int number(struct df_tiff *tiff, uint32_t tag)
{
    uint16_t value = 0;

    TIFFGetFieldDefaulted(tiff->file, tag, &value);
    return value;
}

static bool is_alpha(int kind)
{
    return kind == EXTRASAMPLE_ASSOCALPHA || kind == EXTRASAMPLE_UNASSALPHA;
}

static void read_colours(struct df_tiff *tiff)
{
    uint16_t count = 0, *kinds = NULL, photometric = 0;

    tiff->colours = tiff->bands;
    if (TIFFGetField(tiff->file, TIFFTAG_EXTRASAMPLES, &count, &kinds) && count > 0 && count < tiff->bands &&
        is_alpha(kinds[count - 1]))
        tiff->colours--;
    if (!TIFFGetField(tiff->file, TIFFTAG_PHOTOMETRIC, &photometric))
        photometric = tiff->colours == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    tiff->photometric = photometric;
}

/* Pixels that one byte of the file becomes at most; no limit is known of what is not here. */
static int64_t most_pixels(const struct df_tiff *tiff)
{
    static const struct {
        int compression, most; /* bytes that one byte becomes */
    } kinds[] = {{COMPRESSION_NONE, 1},
                 {COMPRESSION_PACKBITS, 64},
                 {COMPRESSION_LZW, 4096},
                 {COMPRESSION_DEFLATE, 1032},
                 {COMPRESSION_ADOBE_DEFLATE, 1032},
                 {COMPRESSION_JPEG, 8192},
                 {COMPRESSION_LZMA, 8192},
                 {COMPRESSION_ZSTD, 33000},
                 {COMPRESSION_CCITTRLE, DF_IMAGE_MAX_SIDE},
                 {COMPRESSION_CCITTRLEW, DF_IMAGE_MAX_SIDE},
                 {COMPRESSION_CCITTFAX3, DF_IMAGE_MAX_SIDE},
                 {COMPRESSION_CCITTFAX4, DF_IMAGE_MAX_SIDE}};
    /* Of colours that are subsampled, only the first band has a value in each pixel. */
    const int bits = tiff->bits * (tiff->photometric == PHOTOMETRIC_YCBCR ? 1 : tiff->bands);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (tiff->compression == kinds[i].compression)
            return (int64_t)kinds[i].most * 8 / bits + 1;
    }
    return INT64_MAX;
}

static int check_image(const struct df_tiff *tiff)
{
    const int64_t width = tiff->width, height = tiff->height;

    if (tiff->bytes)
        return df_image_check_file(width, height, tiff->size, most_pixels(tiff));
    if (width > DF_TIFF_LARGE_SIDE || height > DF_TIFF_LARGE_SIDE || width * height > DF_TIFF_LARGE_PIXELS)
        return df_error_set("a TIFF of %lld x %lld pixels; at most %lld a side and %lld in all are accepted",
                            (long long)width, (long long)height, (long long)DF_TIFF_LARGE_SIDE,
                            (long long)DF_TIFF_LARGE_PIXELS);
    return df_image_check_bytes(width, height, tiff->size, most_pixels(tiff));
}

static int check_sizes(struct df_tiff *tiff)
{
    const int64_t most = tiff->bytes ? MEMORY_MOST : DF_TIFF_LARGE_PIECE;

    if (tiff->bits < 1 || tiff->bands < 1)
        return df_error_set("damaged TIFF: %d bands of %d bits", tiff->bands, tiff->bits);
    if (!TIFFIsCODECConfigured((uint16_t)tiff->compression))
        return df_error_set("its compression %d is unknown", tiff->compression);
    DF_TRY(check_image(tiff));
    const uint64_t piece = TIFFIsTiled(tiff->file) ? TIFFTileSize64(tiff->file) : TIFFStripSize64(tiff->file);
    if (piece == 0)
        return df_tiff_fail(tiff);
    if (piece > (uint64_t)most)
        return df_error_set("its strips or tiles have %llu bytes each, at most %lld are accepted%s",
                            (unsigned long long)piece, (long long)most,
                            tiff->bytes ? "" : ": write it in tiles, as gdal_translate -co TILED=YES does");
    return 0;
}

static int read_header(struct df_tiff *tiff)
{
    uint32_t width = 0, height = 0;

    TIFFGetField(tiff->file, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff->file, TIFFTAG_IMAGELENGTH, &height);
    tiff->width = width;
    tiff->height = height;
    tiff->bands = number(tiff, TIFFTAG_SAMPLESPERPIXEL);
    tiff->bits = number(tiff, TIFFTAG_BITSPERSAMPLE);
    tiff->format = number(tiff, TIFFTAG_SAMPLEFORMAT);
    tiff->compression = number(tiff, TIFFTAG_COMPRESSION);
    tiff->separate = number(tiff, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE && tiff->bands > 1;
    tiff->orientation = number(tiff, TIFFTAG_ORIENTATION);
    if (tiff->orientation < 1 || tiff->orientation > 8)
        tiff->orientation = 1;
    read_colours(tiff);
    return check_sizes(tiff);
}

static int open_header(struct df_tiff *tiff)
{
    tiff->file = open_file(tiff);
    if (!tiff->file || tiff->lost)
        return df_tiff_fail(tiff);
    return read_header(tiff);
}

int df_tiff_open(struct df_tiff *tiff, const unsigned char *bytes, size_t size)
{
    *tiff = (struct df_tiff){.bytes = bytes, .size = size};
    return open_header(tiff);
}

int df_tiff_open_large(struct df_tiff *tiff, int descriptor, size_t size)
{
    *tiff = (struct df_tiff){.descriptor = descriptor, .size = size};
    return open_header(tiff);
}

void df_tiff_close(struct df_tiff *tiff)
{
    if (tiff->file)
        TIFFClose(tiff->file);
    tiff->file = NULL;
    free(tiff->raw);
    tiff->raw = NULL;
}

int df_tiff_prepare_tiles(struct df_tiff *tiff)
{
    const tmsize_t bytes = TIFFTileSize(tiff->file);

    if (tiff->bytes || tiff->compression != COMPRESSION_NONE || !TIFFIsTiled(tiff->file))
        return 0;
    if (!tiff->raw && !(tiff->raw = malloc((size_t)bytes)))
        return df_error_memory("a tile of a TIFF", (unsigned long long)bytes);
    return TIFFReadBufferSetup(tiff->file, tiff->raw, bytes) ? 0 : df_tiff_fail(tiff);
}

void df_tiff_piece_size(const struct df_tiff *tiff, int64_t *width, int64_t *height)
{
    uint32_t columns = 0, rows = 0;

    if (TIFFIsTiled(tiff->file)) {
        TIFFGetField(tiff->file, TIFFTAG_TILEWIDTH, &columns);
        TIFFGetField(tiff->file, TIFFTAG_TILELENGTH, &rows);
        *width = columns;
        *height = rows > 0 ? rows : tiff->height;
    } else {
        TIFFGetFieldDefaulted(tiff->file, TIFFTAG_ROWSPERSTRIP, &rows);
        *width = tiff->width;
        *height = rows > 0 && rows < tiff->height ? rows : tiff->height;
    }
}

bool df_tiff_is_grey(const struct df_tiff *tiff)
{
    return tiff->photometric == PHOTOMETRIC_MINISBLACK || tiff->photometric == PHOTOMETRIC_MINISWHITE;
}

const char *df_tiff_format_name(const struct df_tiff *tiff)
{
    switch (tiff->format) {
    case SAMPLEFORMAT_UINT:
    case SAMPLEFORMAT_VOID:
        return "unsigned integers";
    case SAMPLEFORMAT_INT:
        return "signed integers";
    case SAMPLEFORMAT_IEEEFP:
        return "floats";
    default:
        return "complex numbers";
    }
}

bool df_tiff_is_copy(const struct df_tiff *tiff)
{
    uint32_t kind = 0;

    TIFFGetFieldDefaulted(tiff->file, TIFFTAG_SUBFILETYPE, &kind);
    return kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK);
}

bool df_tiff_has_more_pages(struct df_tiff *tiff)
{
    while (TIFFReadDirectory(tiff->file)) {
        if (!df_tiff_is_copy(tiff))
            return true;
    }
    return false;
}
