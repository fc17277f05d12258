/* Bands of a TIFF as they are stored, out of its strips or tiles. */
#include "tiff_file.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

/* How a strip or tile lies in memory. */
struct layout {
    bool tiled;
    int64_t width, height;    /* of a whole one */
    int64_t row_bytes, bytes; /* of a row, of all */
    int step;                 /* values from one pixel to the next */
};

/* A band of a piece, and where it goes. */
struct part {
    const uint8_t *rows; /* of the piece */
    int64_t x, y;        /* in samples */
    int64_t width, height;
    int band; /* among a pixel's values in the piece, from 0 on */
    int to;   /* among those of samples */
};

static bool is_machine_type(int bits)
{
    return bits == 8 || bits == 16 || bits == 32 || bits == 64;
}

/* Unsigned values of fewer than 16 bits are packed, but for bytes. */
static int set_type(const struct df_tiff *tiff, struct df_samples *samples)
{
    const int bits = tiff->bits;
    bool is_known = false, is_packed = false;

    if (tiff->format == SAMPLEFORMAT_IEEEFP) {
        samples->kind = DF_SAMPLES_FLOAT;
        is_known = is_machine_type(bits) && bits > 8;
    } else if (tiff->format == SAMPLEFORMAT_INT) {
        samples->kind = DF_SAMPLES_SIGNED;
        is_known = is_machine_type(bits);
    } else if (tiff->format == SAMPLEFORMAT_UINT || tiff->format == SAMPLEFORMAT_VOID) {
        samples->kind = DF_SAMPLES_UNSIGNED;
        is_packed = bits < 16 && bits != 8;
        is_known = is_packed || is_machine_type(bits);
    }
    samples->bits = bits;
    samples->bytes = is_packed ? 1 + (bits > 8) : bits / 8;
    return is_known ? 0
                    : df_error_set("its values are %s of %d bits, which cannot be read",
                                   df_tiff_format_name(tiff), bits);
}

static void find_layout(const struct df_tiff *tiff, struct layout *layout)
{
    TIFF *file = tiff->file;

    layout->tiled = TIFFIsTiled(file);
    layout->row_bytes = (int64_t)(layout->tiled ? TIFFTileRowSize64(file) : TIFFScanlineSize64(file));
    layout->bytes = (int64_t)(layout->tiled ? TIFFTileSize64(file) : TIFFStripSize64(file));
    df_tiff_piece_size(tiff, &layout->width, &layout->height);
    layout->step = tiff->separate ? 1 : tiff->bands;
}

/* Values that are no whole bytes follow each other; the first has the high bits. */
static unsigned packed_value(const uint8_t *row, int64_t number, int bits)
{
    unsigned value = 0;

    for (int64_t at = number * bits; at < (number + 1) * bits; at++)
        value = value << 1 | (unsigned)(row[at / 8] >> (7 - at % 8) & 1);
    return value;
}

/* Values of whole bytes, which the compiler copies with one instruction each where it knows how many. */
static inline void copy_row(const uint8_t *from, int64_t from_step, uint8_t *to, int64_t to_step,
                            int64_t count, size_t bytes)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(to + i * to_step * (int64_t)bytes, from + i * from_step * (int64_t)bytes, bytes);
}

static void take_row(const struct df_samples *samples, const struct layout *layout, const struct part *part,
                     const uint8_t *row, uint8_t *out)
{
    const uint8_t *in = row + (int64_t)part->band * samples->bytes;
    const int64_t step = layout->step, to_step = samples->bands, count = part->width;

    if (samples->bits != 8 * samples->bytes) {
        for (int64_t i = 0; i < count; i++) {
            const unsigned value = packed_value(row, i * step + part->band, samples->bits);
            if (samples->bytes == 1)
                out[i * to_step] = (uint8_t)value;
            else
                ((uint16_t *)(void *)out)[i * to_step] = (uint16_t)value;
        }
    } else if (samples->bytes == 1) {
        copy_row(in, step, out, to_step, count, 1);
    } else if (samples->bytes == 2) {
        copy_row(in, step, out, to_step, count, 2);
    } else if (samples->bytes == 4) {
        copy_row(in, step, out, to_step, count, 4);
    } else {
        copy_row(in, step, out, to_step, count, 8);
    }
}

static void take_part(const struct df_samples *samples, const struct layout *layout, const struct part *part)
{
    for (int64_t y = 0; y < part->height; y++) {
        const int64_t at = ((part->y + y) * samples->width + part->x) * samples->bands + part->to;
        take_row(samples, layout, part, part->rows + y * layout->row_bytes,
                 (uint8_t *)samples->values + at * samples->bytes);
    }
}

static tmsize_t read_piece(struct df_tiff *tiff, const struct layout *layout, int64_t left, int64_t top,
                           int plane, void *buffer)
{
    const uint32_t x = (uint32_t)left, y = (uint32_t)top;
    const tmsize_t most = (tmsize_t)layout->bytes;

    if (layout->tiled)
        return TIFFReadEncodedTile(tiff->file, TIFFComputeTile(tiff->file, x, y, 0, (uint16_t)plane), buffer,
                                   most);
    return TIFFReadEncodedStrip(tiff->file, TIFFComputeStrip(tiff->file, y, (uint16_t)plane), buffer, most);
}

/* The piece at the part's (x, y) of a plane: that of band bands[first], or of all bands. */
static int take_piece(struct df_tiff *tiff, const struct layout *layout, const struct df_image_part *area,
                      const int *bands, int first, struct part *part, const struct df_samples *samples,
                      void *buffer)
{
    const int last = tiff->separate ? first + 1 : samples->bands;

    part->width = samples->width - part->x < layout->width ? samples->width - part->x : layout->width;
    part->height = samples->height - part->y < layout->height ? samples->height - part->y : layout->height;
    part->rows = buffer;
    const tmsize_t found = read_piece(tiff, layout, area->x + part->x, area->y + part->y,
                                      tiff->separate ? bands[first] - 1 : 0, buffer);
    if (found < 0 || tiff->lost)
        return df_tiff_fail(tiff);
    if (found < part->height * layout->row_bytes)
        return df_error_set("damaged TIFF: %lld bytes of a strip or tile, expected %lld", (long long)found,
                            (long long)(part->height * layout->row_bytes));
    for (int i = first; i < last; i++) {
        part->band = tiff->separate ? 0 : bands[i] - 1;
        part->to = i;
        take_part(samples, layout, part);
    }
    return 0;
}

static int take_all(struct df_tiff *tiff, const int *bands, const struct df_image_part *area,
                    const struct df_samples *samples)
{
    struct layout layout;
    int status = 0;

    find_layout(tiff, &layout);
    const int64_t pixel_bits = (int64_t)layout.step * tiff->bits;
    if (layout.width < 1 || layout.row_bytes < (layout.width * pixel_bits + 7) / 8 ||
        layout.bytes < layout.row_bytes * (layout.tiled ? layout.height : 1))
        return df_error_set("damaged TIFF: strips or tiles of impossible sizes");
    void *buffer = malloc((size_t)layout.bytes);
    if (!buffer)
        return df_error_memory("a part of a TIFF", (unsigned long long)layout.bytes);
    for (int first = 0; first < (tiff->separate ? samples->bands : 1); first++) {
        for (int64_t y = 0; status == 0 && y < samples->height; y += layout.height) {
            for (int64_t x = 0; status == 0 && x < samples->width; x += layout.width) {
                struct part part = {.x = x, .y = y};
                status = take_piece(tiff, &layout, area, bands, first, &part, samples, buffer);
            }
        }
    }
    free(buffer);
    return status;
}

int df_tiff_read_samples(struct df_tiff *tiff, const int *bands, int count, const struct df_image_part *part,
                         struct df_samples *samples)
{
    *samples = (struct df_samples){.width = part->width, .height = part->height, .bands = count};
    for (int i = 0; i < count; i++) {
        if (bands[i] > tiff->bands)
            return df_error_set("there is no band %d: it has %d", bands[i], tiff->bands);
    }
    DF_TRY(set_type(tiff, samples));
    if (tiff->compression == COMPRESSION_JPEG && tiff->photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(tiff->file, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    DF_TRY(df_samples_alloc(samples));
    if (take_all(tiff, bands, part, samples) == 0)
        return 0;
    df_samples_free(samples);
    return -1;
}
