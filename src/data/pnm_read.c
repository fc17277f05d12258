/* PBM, PGM and PPM, as text and as bytes, of up to 16 bits. */
#include "codec.h"
#include "samples.h"

#include "dinoft/error.h"

#include <ctype.h>
#include <string.h>

#define DIGITS_MAX  9 /* fit in an int */
#define LARGEST_MAX 65535

struct reader {
    const unsigned char *bytes;
    size_t size, at;
    bool is_text, is_bits; /* of bits 1 is black */
    int largest;           /* the value of white */
};

static void skip_space(struct reader *reader)
{
    bool comment = false;

    for (; reader->at < reader->size; reader->at++) {
        const unsigned char byte = reader->bytes[reader->at];
        if (byte == '#')
            comment = true;
        else if (byte == '\n' || byte == '\r')
            comment = false;
        else if (!comment && !isspace(byte))
            return;
    }
}

/* Of at most `most` digits: bits may follow each other without a space. */
static int read_number(struct reader *reader, size_t most, int *number)
{
    size_t digits = 0;

    skip_space(reader);
    *number = 0;
    for (; reader->at < reader->size && isdigit(reader->bytes[reader->at]) && digits < most; digits++) {
        const int digit = reader->bytes[reader->at++] - '0';
        *number = digits < DIGITS_MAX ? 10 * *number + digit : 0;
    }
    if (digits > DIGITS_MAX)
        return df_error_set("damaged header (a number of %zu digits)", digits);
    if (digits > 0)
        return 0;
    return reader->at == reader->size ? df_error_set("premature end of file")
                                      : df_error_set("damaged PNM (no number where one is expected)");
}

static int read_header(struct reader *reader, struct df_samples *samples)
{
    const int kind = reader->bytes[1] - '0';
    int width, height;

    reader->at = 2;
    reader->is_text = kind <= 3;
    reader->is_bits = kind == 1 || kind == 4;
    reader->largest = 1;
    DF_TRY(read_number(reader, SIZE_MAX, &width));
    DF_TRY(read_number(reader, SIZE_MAX, &height));
    if (!reader->is_bits)
        DF_TRY(read_number(reader, SIZE_MAX, &reader->largest));
    if (reader->largest < 1 || reader->largest > LARGEST_MAX)
        return df_error_set("damaged header (a largest value of %d, expected 1 to %d)", reader->largest,
                            LARGEST_MAX);
    reader->at++; /* one space, behind which there may be a value that looks like another */
    *samples = (struct df_samples){.width = width,
                                   .height = height,
                                   .bands = kind == 3 || kind == 6 ? 3 : 1,
                                   .bytes = reader->largest > 255 ? 2 : 1,
                                   .bits = reader->largest > 255 ? 16 : 8,
                                   .inverted = reader->is_bits};
    if (reader->largest != 255 && reader->largest != LARGEST_MAX)
        samples->largest = reader->largest;
    return df_image_check_file(width, height, reader->size, kind == 4 ? 8 : 1);
}

static int set_value(const struct reader *reader, struct df_samples *samples, int64_t number, int value)
{
    if (value > reader->largest)
        return df_error_set("damaged PNM (a value of %d, its header says at most %d)", value,
                            reader->largest);
    if (samples->bytes == 1)
        ((uint8_t *)samples->values)[number] = (uint8_t)value;
    else
        ((uint16_t *)samples->values)[number] = (uint16_t)value;
    return 0;
}

static int read_text(struct reader *reader, struct df_samples *samples)
{
    const int64_t count = samples->width * samples->height * samples->bands;
    int value;

    for (int64_t i = 0; i < count; i++) {
        DF_TRY(read_number(reader, reader->is_bits ? 1 : SIZE_MAX, &value));
        DF_TRY(set_value(reader, samples, i, value));
    }
    return 0;
}

static int read_bytes(const struct reader *reader, struct df_samples *samples)
{
    const int64_t count = samples->width * samples->height * samples->bands;
    const uint8_t *in = reader->bytes + reader->at;

    if (reader->at > reader->size || reader->size - reader->at < (size_t)(count * samples->bytes))
        return df_error_set("premature end of file");
    if (samples->bytes == 1 && reader->largest == 255) {
        memcpy(samples->values, in, (size_t)count);
        return 0;
    }
    for (int64_t i = 0; i < count; i++)
        DF_TRY(set_value(reader, samples, i, samples->bytes == 1 ? in[i] : in[2 * i] << 8 | in[2 * i + 1]));
    return 0;
}

/* Rows begin at a byte; the first pixel has the high bit. */
static int read_bits(const struct reader *reader, struct df_samples *samples)
{
    const int64_t row_bytes = (samples->width + 7) / 8;
    uint8_t *out = samples->values;

    if (reader->at > reader->size || reader->size - reader->at < (size_t)(row_bytes * samples->height))
        return df_error_set("premature end of file");
    const uint8_t *row = reader->bytes + reader->at;
    for (int64_t y = 0; y < samples->height; y++, row += row_bytes) {
        for (int64_t x = 0; x < samples->width; x++)
            *out++ = row[x / 8] >> (7 - x % 8) & 1;
    }
    return 0;
}

static int read_samples(struct reader *reader, struct df_samples *samples)
{
    DF_TRY(read_header(reader, samples));
    DF_TRY(df_samples_alloc(samples));
    if (reader->is_text)
        return read_text(reader, samples);
    return reader->is_bits ? read_bits(reader, samples) : read_bytes(reader, samples);
}

static int choose_bands(const struct df_image_reading *reading, struct df_samples *samples)
{
    DF_TRY(df_samples_check_bands(reading));
    if (reading->n_bands > 0 && samples->bands == 3) /* else all are the same */
        df_samples_choose(samples, reading->bands, reading->n_bands);
    return 0;
}

int df_pnm_decode(const unsigned char *bytes, size_t size, const struct df_image_reading *reading,
                  struct df_image *image)
{
    struct reader reader = {.bytes = bytes, .size = size};
    struct df_samples samples = {0};
    int status = -1;

    memset(image, 0, sizeof *image);
    if (read_samples(&reader, &samples) == 0 && choose_bands(reading, &samples) == 0)
        status = df_samples_to_image(&samples, reading, image);
    df_samples_free(&samples);
    return status;
}
