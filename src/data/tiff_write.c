#include "dinoft/tiff_write.h"

#include "geo_tags.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLASSIC_MOST   3500000000.0 /* bytes of values that fit whatever deflate makes of them */
#define EFFORT_INDICES 6
#define EFFORT_SHARES  1                      /* larger by a tenth, in a fifth of the time */
#define SHARE_SCALE    "1.52590218966964e-05" /* 1 / 65535 */
#define ERROR_TEXT     200

struct df_tiff_writer {
    char *path;
    struct df_atomic_file *atomic;
    FILE *stream; /* the atomic file's */
    TIFF *file;
    int64_t width, height;
    int bytes;              /* of a value */
    uint8_t *tile;          /* [256, 256] values */
    int reason;             /* errno of the first write that failed; 0: none */
    char error[ERROR_TEXT]; /* what libtiff said first */
};

static int on_error(TIFF *file, void *user, const char *module, const char *format, va_list arguments)
{
    struct df_tiff_writer *writer = user;

    (void)file, (void)module;
    if (!*writer->error)
        vsnprintf(writer->error, sizeof writer->error, format, arguments);
    return 1;
}

static int on_warning(TIFF *file, void *user, const char *module, const char *format, va_list arguments)
{
    (void)file, (void)user, (void)module, (void)format, (void)arguments;
    return 1;
}

static tmsize_t read_nothing(thandle_t user, void *buffer, tmsize_t size)
{
    (void)user, (void)buffer, (void)size;
    return 0;
}

static tmsize_t write_bytes(thandle_t user, void *buffer, tmsize_t size)
{
    struct df_tiff_writer *writer = user;
    const size_t done = fwrite(buffer, 1, (size_t)size, writer->stream);

    if (done < (size_t)size && !writer->reason)
        writer->reason = errno;
    return (tmsize_t)done;
}

static toff_t seek_byte(thandle_t user, toff_t offset, int whence)
{
    struct df_tiff_writer *writer = user;

    if (fseeko(writer->stream, (off_t)offset, whence) != 0) {
        if (!writer->reason)
            writer->reason = errno;
        return (toff_t)-1;
    }
    return (toff_t)ftello(writer->stream);
}

static int close_nothing(thandle_t user)
{
    (void)user;
    return 0;
}

static toff_t no_size(thandle_t user)
{
    (void)user;
    return 0;
}

static TIFF *open_file(struct df_tiff_writer *writer, bool is_big)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    TIFF *file = NULL;

    if (!options)
        return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, writer);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, writer);
    file = TIFFClientOpenExt("TIFF", is_big ? "w8" : "w", writer, read_nothing, write_bytes, seek_byte,
                             close_nothing, no_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return file;
}

static int fail(const struct df_tiff_writer *writer)
{
    const char *reason = writer->reason   ? strerror(writer->reason)
                         : *writer->error ? writer->error
                                          : "libtiff refuses it";

    return df_error_set("cannot write %s: %s", writer->path, reason);
}

static bool set_palette(TIFF *file, const uint8_t (*palette)[3])
{
    uint16_t colours[3][256];

    for (int i = 0; i < 256; i++) {
        for (int c = 0; c < 3; c++)
            colours[c][i] = (uint16_t)(palette[i][c] * 257);
    }
    return TIFFSetField(file, TIFFTAG_COLORMAP, colours[0], colours[1], colours[2]);
}

/* Text of XML, which a name is not yet. */
static void put_escaped(FILE *stream, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", stream);
        else if (*text == '>')
            fputs("&gt;", stream);
        else if (*text == '&')
            fputs("&amp;", stream);
        else if ((unsigned char)*text < ' ')
            fputc('?', stream);
        else
            fputc(*text, stream);
    }
}

/* As GDAL names bands, and says what their values are to be multiplied by. The caller frees it. */
static char *name_bands(const struct df_tiff_kind *kind)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (!stream)
        return NULL;
    fputs("<GDALMetadata>\n", stream);
    for (int i = 0; i < kind->bands; i++) {
        fprintf(stream, "  <Item name=\"DESCRIPTION\" sample=\"%d\" role=\"description\">", i);
        put_escaped(stream, kind->band_names[i]);
        fprintf(stream, "</Item>\n  <Item name=\"SCALE\" sample=\"%d\" role=\"scale\">%s</Item>\n", i,
                SHARE_SCALE);
    }
    fputs("</GDALMetadata>\n", stream);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

static bool set_names(TIFF *file, const struct df_tiff_kind *kind)
{
    char *text = kind->band_names ? name_bands(kind) : NULL;
    const bool done = !kind->band_names || (text && TIFFSetField(file, TIFFTAG_GDAL_METADATA, text));

    free(text);
    return done;
}

/* Bands beside the first are of no known kind. */
static bool set_bands(TIFF *file, int bands)
{
    uint16_t kinds[DF_TIFF_BANDS_MOST] = {EXTRASAMPLE_UNSPECIFIED};

    return TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, bands) &&
           TIFFSetField(file, TIFFTAG_PLANARCONFIG,
                        bands > 1 ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG) &&
           (bands == 1 || TIFFSetField(file, TIFFTAG_EXTRASAMPLES, bands - 1, kinds));
}

static bool set_header(TIFF *file, const struct df_tiff_kind *kind)
{
    const bool is_deep = kind->bits == 16;
    char none[16];

    snprintf(none, sizeof none, "%d", kind->none);
    df_geo_tags_declare(file);
    return TIFFSetField(file, TIFFTAG_IMAGEWIDTH, (uint32_t)kind->width) &&
           TIFFSetField(file, TIFFTAG_IMAGELENGTH, (uint32_t)kind->height) &&
           TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, kind->bits) &&
           TIFFSetField(file, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT) && set_bands(file, kind->bands) &&
           TIFFSetField(file, TIFFTAG_PHOTOMETRIC,
                        kind->palette ? PHOTOMETRIC_PALETTE : PHOTOMETRIC_MINISBLACK) &&
           TIFFSetField(file, TIFFTAG_TILEWIDTH, DF_TIFF_TILE) &&
           TIFFSetField(file, TIFFTAG_TILELENGTH, DF_TIFF_TILE) &&
           TIFFSetField(file, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE) &&
           TIFFSetField(file, TIFFTAG_ZIPQUALITY, is_deep ? EFFORT_SHARES : EFFORT_INDICES) &&
           TIFFSetField(file, TIFFTAG_PREDICTOR, is_deep ? PREDICTOR_HORIZONTAL : PREDICTOR_NONE) &&
           (!kind->palette || set_palette(file, kind->palette)) && set_names(file, kind) &&
           (kind->none < 0 || TIFFSetField(file, TIFFTAG_GDAL_NODATA, none)) &&
           df_geo_tags_write(kind->geo, file) == 0;
}

static int begin(struct df_tiff_writer *writer, const struct df_tiff_kind *kind)
{
    const double bytes = (double)kind->width * (double)kind->height * kind->bands * writer->bytes;

    writer->tile = malloc((size_t)(DF_TIFF_TILE * DF_TIFF_TILE * writer->bytes));
    if (!writer->tile)
        return df_error_memory("a tile of a TIFF", DF_TIFF_TILE * DF_TIFF_TILE);
    writer->atomic = df_atomic_open(writer->path);
    if (!writer->atomic)
        return -1;
    writer->stream = df_atomic_stream(writer->atomic);
    writer->file = open_file(writer, bytes > CLASSIC_MOST);
    return writer->file && set_header(writer->file, kind) ? 0 : fail(writer);
}

struct df_tiff_writer *df_tiff_writer_open(const char *path, const struct df_tiff_kind *kind)
{
    struct df_tiff_writer *writer = calloc(1, sizeof *writer);

    assert(kind->width >= 1 && kind->height >= 1 && kind->bands >= 1 && kind->bands <= DF_TIFF_BANDS_MOST);
    assert(kind->bits == 8 || (kind->bits == 16 && !kind->palette));
    if (!writer) {
        df_error_memory("a TIFF to write", sizeof *writer);
        return NULL;
    }
    writer->width = kind->width;
    writer->height = kind->height;
    writer->bytes = kind->bits / 8;
    writer->path = df_text_copy(path);
    if (writer->path && begin(writer, kind) == 0)
        return writer;
    df_tiff_writer_abort(writer);
    return NULL;
}

/* What of the tile the image does not have, has the values of its last row and column: these cost least. */
static void fill_tile(struct df_tiff_writer *writer, const struct df_image_part *tile, const uint8_t *from,
                      int64_t step, int64_t row_step)
{
    const int64_t bytes = writer->bytes;

    for (int64_t y = 0; y < DF_TIFF_TILE; y++) {
        const uint8_t *row = from + df_min_i64(y, tile->height - 1) * row_step * bytes;
        uint8_t *to = writer->tile + y * DF_TIFF_TILE * bytes;
        for (int64_t x = 0; x < DF_TIFF_TILE; x++, to += bytes)
            memcpy(to, row + df_min_i64(x, tile->width - 1) * step * bytes, (size_t)bytes);
    }
}

int df_tiff_writer_put(struct df_tiff_writer *writer, const struct df_image_part *part, int band,
                       const void *values, int64_t step)
{
    const int64_t right = part->x + part->width, bottom = part->y + part->height;
    const tmsize_t bytes = (tmsize_t)DF_TIFF_TILE * DF_TIFF_TILE * writer->bytes;

    assert(part->x % DF_TIFF_TILE == 0 && part->y % DF_TIFF_TILE == 0);
    assert(right == writer->width || right % DF_TIFF_TILE == 0);
    assert(bottom == writer->height || bottom % DF_TIFF_TILE == 0);
    for (int64_t y = part->y; y < bottom; y += DF_TIFF_TILE) {
        for (int64_t x = part->x; x < right; x += DF_TIFF_TILE) {
            const struct df_image_part tile = {x, y, df_min_i64(DF_TIFF_TILE, right - x),
                                               df_min_i64(DF_TIFF_TILE, bottom - y)};
            const int64_t first = ((y - part->y) * part->width + x - part->x) * step * writer->bytes;
            fill_tile(writer, &tile, (const uint8_t *)values + first, step, part->width * step);
            const uint32_t number =
                TIFFComputeTile(writer->file, (uint32_t)x, (uint32_t)y, 0, (uint16_t)band);
            if (TIFFWriteEncodedTile(writer->file, number, writer->tile, bytes) != bytes)
                return fail(writer);
        }
    }
    return 0;
}

static void free_writer(struct df_tiff_writer *writer)
{
    free(writer->tile);
    free(writer->path);
    free(writer);
}

int df_tiff_writer_commit(struct df_tiff_writer *writer)
{
    int status = -1;

    if (!TIFFFlush(writer->file) || writer->reason) {
        fail(writer);
        df_tiff_writer_abort(writer);
        return -1;
    }
    TIFFCleanup(writer->file);
    status = df_atomic_commit(writer->atomic);
    free_writer(writer);
    return status;
}

void df_tiff_writer_abort(struct df_tiff_writer *writer)
{
    if (!writer)
        return;
    if (writer->file)
        TIFFCleanup(writer->file);
    df_atomic_abort(writer->atomic);
    free_writer(writer);
}
