/* TIFF files as masks: numbers as they are stored, or colours. */
#include "codec.h"
#include "mask_pixels.h"
#include "tiff_file.h"

#include "dinoft/error.h"

#include <math.h>
#include <string.h>

#define INDEX_MOST 65535

/* Values that fit in 16 bits, as an image of two bytes a pixel, which can be turned. Where 0 is white, the
 * largest value is taken for 0, as Pillow and OpenCV have it, and what one sees: so programs write bits for
 * fax codes, and mean 1 by white. */
static int take_numbers(const struct df_samples *samples, bool white_is_0, struct df_image *image)
{
    const double white = ldexp(1.0, samples->bits) - 1.0;
    double row[DF_IMAGE_MAX_SIDE];

    DF_TRY(df_image_alloc(image, samples->width, samples->height, sizeof(uint16_t)));
    uint16_t *indices = (uint16_t *)(void *)image->pixels;
    for (int64_t y = 0; y < samples->height; y++) {
        df_samples_load(samples, y * samples->width, samples->width, row);
        for (int64_t x = 0; x < samples->width; x++) {
            row[x] = white_is_0 ? white - row[x] : row[x];
            if (row[x] < 0.0 || row[x] > INDEX_MOST)
                return df_error_set(
                    "the value %.0f at column %lld, row %lld is no index of a class (0 to %d)", row[x],
                    (long long)x, (long long)y, INDEX_MOST);
            *indices++ = (uint16_t)row[x];
        }
    }
    return 0;
}

static int decode_numbers(struct df_tiff *tiff, struct df_image *image)
{
    const bool is_palette = tiff->photometric == PHOTOMETRIC_PALETTE;
    struct df_samples samples;

    if (tiff->bands != 1 || (!is_palette && !df_tiff_is_grey(tiff)) || tiff->format == SAMPLEFORMAT_IEEEFP)
        return df_error_set(
            "a mask must hold one whole number a pixel, grey or of a palette; this one has %d "
            "band%s of %d-bit %s",
            tiff->bands, tiff->bands == 1 ? "" : "s", tiff->bits, df_tiff_format_name(tiff));
    const struct df_image_part all = {0, 0, tiff->width, tiff->height};
    DF_TRY(df_tiff_read_samples(tiff, (const int[]){1}, 1, &all, &samples));
    int status = take_numbers(&samples, tiff->photometric == PHOTOMETRIC_MINISWHITE, image);
    df_samples_free(&samples);
    return status == 0 ? df_image_orient(image, tiff->orientation) : -1;
}

/* Red, green and blue of bytes, without alpha, which might hide some. */
static bool has_colors(const struct df_tiff *tiff)
{
    return tiff->photometric == PHOTOMETRIC_RGB && tiff->bands == 3 && tiff->bits == 8;
}

/* Opens the file for a look at its header. */
static int look(const unsigned char *bytes, size_t size, bool *colored, bool *small)
{
    struct df_tiff tiff;
    int status = df_tiff_open(&tiff, bytes, size);

    *colored = status == 0 && has_colors(&tiff);
    *small = status == 0 && tiff.bands == 1 && tiff.bits <= 8 && tiff.format != SAMPLEFORMAT_IEEEFP;
    if (status == 0 &&
        df_tiff_has_more_pages(&tiff)) /* one a class, for instance: the first is not the mask */
        status = df_error_set("it has more pages than one, and a mask is one");
    df_tiff_close(&tiff);
    return status;
}

static int decode_picture(const unsigned char *bytes, size_t size, struct df_image *mask)
{
    static const struct df_image_reading as_it_comes = {0};
    return df_tiff_decode(bytes, size, &as_it_comes, mask);
}

static int decode_single(const unsigned char *bytes, size_t size, struct df_image *mask)
{
    struct df_tiff tiff;
    const int status = df_tiff_open(&tiff, bytes, size) == 0 ? decode_numbers(&tiff, mask) : -1;

    df_tiff_close(&tiff);
    if (status != 0)
        df_image_free(mask);
    return status;
}

int df_tiff_decode_indices(const unsigned char *bytes, size_t size, struct df_image *mask)
{
    bool colored, small;

    memset(mask, 0, sizeof *mask);
    DF_TRY(look(bytes, size, &colored, &small));
    if (!colored)
        return decode_single(bytes, size, mask);
    DF_TRY(decode_picture(bytes, size, mask));
    if (df_mask_is_grey(mask, 1))
        df_mask_keep_first(mask, 1);
    return 0;
}

int df_tiff_decode_colors(const unsigned char *bytes, size_t size, struct df_image *mask)
{
    bool colored, small;

    memset(mask, 0, sizeof *mask);
    DF_TRY(look(bytes, size, &colored, &small));
    if (colored || small)
        return decode_picture(bytes, size, mask);
    return df_error_set("a mask of colours must have three bands of 8 bits, or one of at most 8 bits");
}
