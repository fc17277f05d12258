/* What OpenCV reads of TIFFs comes out as its pixels, through the same part of libtiff; everything else is
 * read band by band. */
#include "tiff_part.h"

#include "codec.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_AT_LEAST 64                 /* that libtiff is asked for at a time */
#define PIXELS_ENOUGH ((int64_t)1 << 22) /* in fewer rows */
#define NODATA_TAG    42113              /* GDAL's: the value that means "none", as text */

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

int64_t df_tiff_rows_together(const struct df_tiff *tiff)
{
    const int64_t least = df_min_i64(ROWS_AT_LEAST, PIXELS_ENOUGH / tiff->width + 1);
    int64_t width, height;

    df_tiff_piece_size(tiff, &width, &height);
    return df_min_i64(((least - 1) / height + 1) * height, tiff->height);
}

static int read_rows(struct df_tiff *tiff, TIFFRGBAImage *reader, const struct df_image_part *part,
                     struct df_image *image)
{
    const int64_t rows = df_min_i64(df_tiff_rows_together(tiff), part->height);
    uint32_t *raster = malloc((size_t)(part->width * rows) * sizeof *raster);
    int status = 0;

    if (!raster)
        return df_error_memory("rows of a TIFF", (unsigned long long)(part->width * rows) * sizeof *raster);
    reader->col_offset = (int)part->x;
    for (int64_t y = 0; status == 0 && y < part->height; y += rows) {
        const int64_t count = df_min_i64(part->height - y, rows);
        reader->row_offset = (int)(part->y + y);
        if (!TIFFRGBAImageGet(reader, raster, (uint32_t)part->width, (uint32_t)count) || tiff->lost)
            status = df_tiff_fail(tiff);
        else
            take_rows(raster, part->width * count, image->pixels + y * part->width * 3);
    }
    free(raster);
    return status;
}

/* An alpha that is stored apart from the colours is multiplied into them, any other is dropped: so OpenCV. */
static int read_colours(struct df_tiff *tiff, const struct df_image_part *part, struct df_image *image)
{
    TIFFRGBAImage reader;
    char reason[1024] = "";
    int status = -1;

    DF_TRY(df_tiff_prepare_tiles(tiff));
    if (!TIFFRGBAImageOK(tiff->file, reason) || !TIFFRGBAImageBegin(&reader, tiff->file, 1, reason))
        return df_error_set("%d bands of %d-bit %s, photometric interpretation %d, cannot be read%s%s",
                            tiff->bands, tiff->bits, df_tiff_format_name(tiff), tiff->photometric,
                            *reason ? ": " : "", reason);
    reader.orientation = reader.req_orientation = ORIENTATION_TOPLEFT; /* not turned yet */
    if (df_image_alloc_checked(image, part->width, part->height, 3) == 0)
        status = read_rows(tiff, &reader, part, image);
    TIFFRGBAImageEnd(&reader);
    return status;
}

static void read_nodata(struct df_tiff *tiff, struct df_tiff_way *way)
{
    const char *text = NULL;
    uint32_t count = 0;
    char number[64], *end;

    if (!TIFFGetField(tiff->file, NODATA_TAG, &count, &text) || !text || count >= sizeof number)
        return;
    memcpy(number, text, count);
    number[count] = '\0';
    way->none = strtod(number, &end);
    way->has_none = end != number;
    if (tiff->format == SAMPLEFORMAT_IEEEFP && tiff->bits == 32)
        way->none = (float)way->none;
}

int df_tiff_choose(struct df_tiff *tiff, const struct df_image_reading *reading, struct df_tiff_way *way)
{
    *way = (struct df_tiff_way){.reading = *reading};
    way->n_bands = usual_bands(tiff, way->bands);
    if (reading->n_bands > 0 && has_plain_bands(tiff)) {
        memcpy(way->bands, reading->bands, sizeof way->bands);
        way->n_bands = reading->n_bands;
    } else if (has_plain_bands(tiff) && way->n_bands == 0) {
        return df_error_set("it has %d bands%s: --bands says which are red, green and blue, such as --bands "
                            "3,2,1, or which one is grey",
                            tiff->bands, tiff->colours < tiff->bands ? ", one of them alpha" : "");
    } else {
        way->by_libtiff = is_for_libtiff(tiff, way->n_bands) &&
                          (reading->range == DF_RANGE_OF_TYPE || !has_plain_bands(tiff));
    }
    if (!way->by_libtiff)
        read_nodata(tiff, way);
    return 0;
}

static int read_bands(struct df_tiff *tiff, const struct df_tiff_way *way, const struct df_image_part *part,
                      struct df_samples *samples)
{
    DF_TRY(df_tiff_read_samples(tiff, way->bands, way->n_bands, part, samples));
    samples->is_colour = tiff->photometric == PHOTOMETRIC_RGB;
    samples->inverted = tiff->photometric == PHOTOMETRIC_MINISWHITE;
    samples->has_none = way->has_none;
    samples->none = way->none;
    return 0;
}

static int read_part(struct df_tiff *tiff, const struct df_tiff_way *way, const struct df_image_part *part,
                     struct df_image *image)
{
    struct df_samples samples;

    if (way->by_libtiff) {
        DF_TRY(read_colours(tiff, part, image));
        return df_image_apply_reading(&way->reading, image);
    }
    DF_TRY(read_bands(tiff, way, part, &samples));
    const int status = df_samples_to_image(&samples, &way->reading, image);
    df_samples_free(&samples);
    return status;
}

int df_tiff_read_part(struct df_tiff *tiff, const struct df_tiff_way *way, const struct df_image_part *part,
                      struct df_image *image)
{
    memset(image, 0, sizeof *image);
    const int status = read_part(tiff, way, part, image);
    if (status != 0)
        df_image_free(image);
    return status;
}

int df_tiff_extend_range(struct df_tiff *tiff, const struct df_tiff_way *way,
                         const struct df_image_part *part, struct df_samples_range *range)
{
    struct df_tiff_way as_bytes = *way;
    struct df_samples samples;
    struct df_image image;

    if (!way->by_libtiff) {
        DF_TRY(read_bands(tiff, way, part, &samples));
        df_samples_extend_range(&samples, range);
        df_samples_free(&samples);
        return 0;
    }
    as_bytes.reading.range = DF_RANGE_OF_TYPE;
    DF_TRY(df_tiff_read_part(tiff, &as_bytes, part, &image));
    samples = df_samples_of_image(&image);
    df_samples_extend_range(&samples, range);
    df_image_free(&image);
    return 0;
}

const char *df_tiff_find_warning(struct df_tiff *tiff)
{
    if (df_tiff_is_copy(tiff))
        return "its first page, which is read, is a smaller copy or a mask of another image, as in raw files "
               "of cameras";
    return df_tiff_has_more_pages(tiff) ? "it has more pages than one: the first is read" : NULL;
}
