/* TIFF and BigTIFF: what OpenCV reads comes out as its pixels, through the same part of libtiff; everything
 * else is read band by band. */
#include "codec.h"
#include "tiff_file.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_AT_LEAST 64    /* that libtiff is asked for at a time */
#define NODATA_TAG    42113 /* GDAL's: the value that means "none", as text */

/* Whether bands hold numbers of their own, rather than indices into colours or parts of another colour space.
 */
static bool has_plain_bands(const struct df_tiff *tiff)
{
    return df_tiff_is_grey(tiff) || tiff->photometric == PHOTOMETRIC_RGB;
}

/* Which bands are meant where nobody says so: one is grey, three are red, green and blue whatever the header
 * calls them (GDAL writes those of 16 bits as grey). An alpha is no band of these. Returns their number; 0:
 * nothing tells. */
static int usual_bands(const struct df_tiff *tiff, int bands[3])
{
    const int count = tiff->photometric == PHOTOMETRIC_RGB && tiff->bands == 4 ? 3 : tiff->colours;

    for (int i = 0; i < 3; i++)
        bands[i] = i + 1;
    return count == 1 || count == 3 ? count : 0;
}

/* Whether libtiff makes colours of it, as for OpenCV. It takes other pixels than those of 16-bit grey tiles
 * that reach beyond the image. */
static bool is_for_libtiff(const struct df_tiff *tiff, int count)
{
    const bool is_unsigned = tiff->format == SAMPLEFORMAT_UINT || tiff->format == SAMPLEFORMAT_VOID;

    if (!has_plain_bands(tiff))
        return true;
    if (df_tiff_is_grey(tiff))
        return is_unsigned && count == 1 && tiff->bits <= 8 && 8 % tiff->bits == 0;
    return is_unsigned && count == 3 && (tiff->bits == 8 || tiff->bits == 16);
}

static void take_rows(const uint32_t *raster, int64_t count, uint8_t *out)
{
    for (int64_t i = 0; i < count; i++, out += 3) {
        out[0] = (uint8_t)TIFFGetR(raster[i]);
        out[1] = (uint8_t)TIFFGetG(raster[i]);
        out[2] = (uint8_t)TIFFGetB(raster[i]);
    }
}

/* Rows that are asked for at a time: whole strips or tiles, since each is decoded for each call. */
static int64_t rows_at_a_time(const struct df_tiff *tiff)
{
    uint32_t piece = 0;

    if (TIFFIsTiled(tiff->file))
        TIFFGetField(tiff->file, TIFFTAG_TILELENGTH, &piece);
    else
        TIFFGetFieldDefaulted(tiff->file, TIFFTAG_ROWSPERSTRIP, &piece);
    if (piece < 1 || piece > tiff->height)
        return tiff->height;
    const int64_t rows = ((ROWS_AT_LEAST - 1) / (int64_t)piece + 1) * piece;
    return rows < tiff->height ? rows : tiff->height;
}

static int read_rows(struct df_tiff *tiff, TIFFRGBAImage *reader, struct df_image *image)
{
    const int64_t rows = rows_at_a_time(tiff);
    uint32_t *raster = malloc((size_t)(tiff->width * rows) * sizeof *raster);
    int status = 0;

    if (!raster)
        return df_error_memory("rows of a TIFF", (unsigned long long)(tiff->width * rows) * sizeof *raster);
    for (int64_t y = 0; status == 0 && y < tiff->height; y += rows) {
        const int64_t count = tiff->height - y < rows ? tiff->height - y : rows;
        reader->row_offset = (int)y;
        if (!TIFFRGBAImageGet(reader, raster, (uint32_t)tiff->width, (uint32_t)count) || tiff->lost)
            status = df_tiff_fail(tiff);
        else
            take_rows(raster, tiff->width * count, image->pixels + y * tiff->width * 3);
    }
    free(raster);
    return status;
}

/* An alpha that is stored apart from the colours is multiplied into them, any other is dropped: so OpenCV. */
static int read_colours(struct df_tiff *tiff, struct df_image *image)
{
    TIFFRGBAImage reader;
    char reason[1024] = "";
    int status = -1;

    if (!TIFFRGBAImageOK(tiff->file, reason) || !TIFFRGBAImageBegin(&reader, tiff->file, 1, reason))
        return df_error_set("%d bands of %d-bit %s, photometric interpretation %d, cannot be read%s%s",
                            tiff->bands, tiff->bits, df_tiff_format_name(tiff), tiff->photometric,
                            *reason ? ": " : "", reason);
    reader.orientation = reader.req_orientation = ORIENTATION_TOPLEFT; /* not turned yet */
    if (df_image_alloc(image, tiff->width, tiff->height, 3) == 0)
        status = read_rows(tiff, &reader, image);
    TIFFRGBAImageEnd(&reader);
    return status;
}

static void read_nodata(struct df_tiff *tiff, struct df_samples *samples)
{
    const char *text = NULL;
    uint32_t count = 0;
    char number[64], *end;

    if (!TIFFGetField(tiff->file, NODATA_TAG, &count, &text) || !text || count >= sizeof number)
        return;
    memcpy(number, text, count);
    number[count] = '\0';
    samples->none = strtod(number, &end);
    samples->has_none = end != number;
    if (samples->kind == DF_SAMPLES_FLOAT && samples->bytes == 4)
        samples->none = (float)samples->none;
}

static int read_bands(struct df_tiff *tiff, const struct df_image_reading *reading, const int *bands,
                      int count, struct df_image *image)
{
    struct df_samples samples;

    DF_TRY(df_tiff_read_samples(tiff, bands, count, &samples));
    samples.is_colour = tiff->photometric == PHOTOMETRIC_RGB;
    samples.inverted = tiff->photometric == PHOTOMETRIC_MINISWHITE;
    read_nodata(tiff, &samples);
    const int status = df_samples_to_image(&samples, reading, image);
    df_samples_free(&samples);
    return status;
}

static int decode(struct df_tiff *tiff, const struct df_image_reading *reading, struct df_image *image)
{
    int bands[3];
    const int count = usual_bands(tiff, bands);

    if (reading->n_bands > 0 && has_plain_bands(tiff))
        return read_bands(tiff, reading, reading->bands, reading->n_bands, image);
    if (has_plain_bands(tiff) && count == 0)
        return df_error_set("it has %d bands%s: --bands says which are red, green and blue, such as --bands "
                            "3,2,1, or which one is grey",
                            tiff->bands, tiff->colours < tiff->bands ? ", one of them alpha" : "");
    if (is_for_libtiff(tiff, count) && (reading->range == DF_RANGE_OF_TYPE || !has_plain_bands(tiff))) {
        DF_TRY(read_colours(tiff, image));
        return df_image_apply_reading(reading, image);
    }
    return read_bands(tiff, reading, bands, count, image);
}

/* Once the first page has been read. */
static const char *find_warning(struct df_tiff *tiff)
{
    if (df_tiff_is_copy(tiff))
        return "its first page, which is read, is a smaller copy or a mask of another image, as in raw files "
               "of "
               "cameras";
    return df_tiff_has_more_pages(tiff) ? "it has more pages than one: the first is read" : NULL;
}

int df_tiff_decode(const unsigned char *bytes, size_t size, const struct df_image_reading *reading,
                   struct df_image *image)
{
    struct df_tiff tiff;
    int status = -1;

    memset(image, 0, sizeof *image);
    if (df_tiff_open(&tiff, bytes, size) == 0 && decode(&tiff, reading, image) == 0)
        status = df_image_orient(image, tiff.orientation);
    if (status == 0)
        image->warning = find_warning(&tiff);
    df_tiff_close(&tiff);
    if (status != 0)
        df_image_free(image);
    return status;
}

int df_tiff_orientation(const unsigned char *bytes, size_t size)
{
    struct df_tiff tiff;
    const int orientation = df_tiff_open(&tiff, bytes, size) == 0 ? tiff.orientation : 1;

    df_tiff_close(&tiff);
    return orientation;
}
