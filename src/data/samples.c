#include "samples.h"

#include "codec.h"

#include "dinoft/dtype.h"
#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDE_ENTRIES (1 << 16) /* values of two bytes */

int df_samples_alloc(struct df_samples *samples)
{
    const int64_t shape[] = {samples->height, samples->width, samples->bands, samples->bytes};
    size_t bytes;

    samples->values = NULL;
    if (df_shape_count(shape, 4, &bytes) && (samples->values = malloc(bytes)))
        return 0;
    return df_error_memory("an image's values", bytes);
}

void df_samples_free(struct df_samples *samples)
{
    free(samples->values);
    memset(samples, 0, sizeof *samples);
}

int df_samples_check_bands(const struct df_image_reading *reading)
{
    for (int i = 0; i < reading->n_bands; i++) {
        if (reading->bands[i] > 3)
            return df_error_set("there is no band %d: it has 3, red, green and blue", reading->bands[i]);
    }
    return 0;
}

void df_samples_choose(struct df_samples *samples, const int *bands, int count)
{
    const size_t bytes = (size_t)samples->bytes;
    const uint8_t *in = samples->values;
    uint8_t *out = samples->values, pixel[8 * 4];

    for (int64_t i = 0; i < samples->width * samples->height; i++, in += (size_t)samples->bands * bytes) {
        memcpy(pixel, in, (size_t)samples->bands * bytes);
        for (int band = 0; band < count; band++, out += bytes)
            memcpy(out, pixel + (size_t)(bands[band] - 1) * bytes, bytes);
    }
    samples->bands = count;
}

static void load_floats(const struct df_samples *samples, int64_t first, int64_t count, double *values)
{
    const uint16_t *halves = samples->values;
    const float *singles = samples->values;
    const double *doubles = samples->values;

    for (int64_t i = 0; i < count; i++)
        values[i] = samples->bytes == 2   ? df_f16_to_f32(halves[first + i])
                    : samples->bytes == 4 ? singles[first + i]
                                          : doubles[first + i];
}

static void load_signed(const struct df_samples *samples, int64_t first, int64_t count, double *values)
{
    const int8_t *bytes = samples->values;
    const int16_t *shorts = samples->values;
    const int32_t *words = samples->values;
    const int64_t *longs = samples->values;

    for (int64_t i = 0; i < count; i++)
        values[i] = samples->bytes == 1   ? bytes[first + i]
                    : samples->bytes == 2 ? shorts[first + i]
                    : samples->bytes == 4 ? words[first + i]
                                          : (double)longs[first + i];
}

static void load_unsigned(const struct df_samples *samples, int64_t first, int64_t count, double *values)
{
    const uint8_t *bytes = samples->values;
    const uint16_t *shorts = samples->values;
    const uint32_t *words = samples->values;
    const uint64_t *longs = samples->values;

    for (int64_t i = 0; i < count; i++)
        values[i] = samples->bytes == 1   ? bytes[first + i]
                    : samples->bytes == 2 ? shorts[first + i]
                    : samples->bytes == 4 ? words[first + i]
                                          : (double)longs[first + i];
}

void df_samples_load(const struct df_samples *samples, int64_t first, int64_t count, double *values)
{
    if (samples->kind == DF_SAMPLES_FLOAT)
        load_floats(samples, first, count, values);
    else if (samples->kind == DF_SAMPLES_SIGNED)
        load_signed(samples, first, count, values);
    else
        load_unsigned(samples, first, count, values);
}

static bool is_none(const struct df_samples *samples, double value)
{
    return isnan(value) || (samples->has_none && value == samples->none);
}

static uint8_t map(double value, struct df_samples_range range)
{
    const double part = (value - range.black) / (range.white - range.black);

    if (!(part > 0.0)) /* NaN too, and every value where all are the same */
        return 0;
    return part >= 1.0 ? 255 : (uint8_t)(255.0 * part + 0.5);
}

static uint8_t map_sample(const struct df_samples *samples, double value, struct df_samples_range range)
{
    if (is_none(samples, value))
        return 0;
    const uint8_t byte = map(value, range);
    return samples->inverted ? 255 - byte : byte;
}

/* Unsigned values of at most 16 bits as OpenCV makes them bytes. */
static uint8_t narrow(const struct df_samples *samples, int value)
{
    const int bits = samples->bits, largest = samples->largest ? samples->largest : (1 << bits) - 1;
    int byte;

    if (bits <= 8 || samples->largest)
        byte = value * 255 / largest;
    else if (bits == 16 && samples->is_colour)
        byte = (value + 128) / 257;
    else
        byte = value >> (bits - 8);
    return (uint8_t)(samples->inverted ? 255 - byte : byte);
}

/* One band is repeated. */
static inline uint8_t *put(const struct df_samples *samples, uint8_t *out, uint8_t byte)
{
    out[0] = byte;
    if (samples->bands == 3)
        return out + 1;
    out[1] = out[2] = byte;
    return out + 3;
}

/* What each value of one or two bytes becomes is found once. */
static int map_by_table(const struct df_samples *samples, const struct df_samples_range *range,
                        struct df_image *image)
{
    const int entries = samples->bytes == 1 ? 256 : WIDE_ENTRIES;
    const int64_t count = samples->width * samples->height * samples->bands;
    uint8_t *table = malloc((size_t)entries), *out = image->pixels;

    if (!table)
        return df_error_memory("a table of values", (unsigned long long)entries);
    for (int i = 0; i < entries; i++) {
        const int value = i & ((1 << samples->bits) - 1);
        table[i] = range ? map_sample(samples, i, *range) : narrow(samples, value);
    }
    if (samples->bytes == 1) {
        for (int64_t i = 0; i < count; i++)
            out = put(samples, out, table[((const uint8_t *)samples->values)[i]]);
    } else {
        for (int64_t i = 0; i < count; i++)
            out = put(samples, out, table[((const uint16_t *)samples->values)[i]]);
    }
    free(table);
    return 0;
}

static int64_t part_at(const struct df_samples *samples, int64_t first)
{
    const int64_t left = samples->width * samples->height * samples->bands - first;
    return left < DF_SAMPLES_PART ? left : DF_SAMPLES_PART;
}

static void map_each(const struct df_samples *samples, struct df_samples_range range, struct df_image *image)
{
    double values[DF_SAMPLES_PART];
    uint8_t *out = image->pixels;
    int64_t count;

    for (int64_t first = 0; (count = part_at(samples, first)) > 0; first += count) {
        df_samples_load(samples, first, count, values);
        for (int64_t i = 0; i < count; i++)
            out = put(samples, out, map_sample(samples, values[i], range));
    }
}

void df_samples_extend_range(const struct df_samples *samples, struct df_samples_range *range)
{
    double values[DF_SAMPLES_PART];
    int64_t count;

    for (int64_t first = 0; (count = part_at(samples, first)) > 0; first += count) {
        df_samples_load(samples, first, count, values);
        for (int64_t i = 0; i < count; i++) {
            const double value = values[i];
            if (!isfinite(value) || is_none(samples, value))
                continue;
            range->black = value < range->black ? value : range->black;
            range->white = value > range->white ? value : range->white;
        }
    }
}

struct df_samples_range df_samples_range_end(struct df_samples_range range)
{
    return range.black <= range.white ? range : (struct df_samples_range){0.0, 0.0};
}

static struct df_samples_range find_range(const struct df_samples *samples)
{
    struct df_samples_range range = DF_SAMPLES_NO_RANGE;

    df_samples_extend_range(samples, &range);
    return df_samples_range_end(range);
}

static int refuse(const struct df_samples *samples)
{
    static const char *const kinds[] = {[DF_SAMPLES_UNSIGNED] = "integers",
                                        [DF_SAMPLES_SIGNED] = "signed integers",
                                        [DF_SAMPLES_FLOAT] = "floats"};

    return df_error_set(
        "its values are %s of %d bits: --image_range MIN,MAX says which of them are black and "
        "white, --image_range auto takes each file's smallest and largest",
        kinds[samples->kind], 8 * samples->bytes);
}

int df_samples_to_image(const struct df_samples *samples, const struct df_image_reading *reading,
                        struct df_image *image)
{
    const bool in_table = samples->kind == DF_SAMPLES_UNSIGNED && samples->bytes <= 2;
    struct df_samples_range range = {reading->black, reading->white};

    memset(image, 0, sizeof *image);
    if (reading->range == DF_RANGE_OF_TYPE && !in_table)
        return refuse(samples);
    DF_TRY(df_image_alloc_checked(image, samples->width, samples->height, 3));
    if (reading->range == DF_RANGE_OF_FILE)
        range = find_range(samples);
    if (!in_table)
        map_each(samples, range, image);
    else if (map_by_table(samples, reading->range == DF_RANGE_OF_TYPE ? NULL : &range, image) != 0)
        df_image_free(image);
    return image->pixels ? 0 : -1;
}

static int choose_bands(const struct df_image_reading *reading, struct df_image *image)
{
    const int64_t pixels = image->width * image->height;

    DF_TRY(df_samples_check_bands(reading));
    for (int64_t i = 0; i < pixels; i++) {
        uint8_t *pixel = image->pixels + 3 * i;
        const uint8_t all[3] = {pixel[0], pixel[1], pixel[2]};
        for (int c = 0; c < 3; c++)
            pixel[c] = all[reading->bands[reading->n_bands == 1 ? 0 : c] - 1];
    }
    return 0;
}

struct df_samples df_samples_of_image(const struct df_image *image)
{
    return (struct df_samples){.width = image->width,
                               .height = image->height,
                               .bands = 3,
                               .bytes = 1,
                               .bits = 8,
                               .values = image->pixels};
}

int df_image_apply_reading(const struct df_image_reading *reading, struct df_image *image)
{
    const struct df_samples bytes = df_samples_of_image(image);
    struct df_samples_range range = {reading->black, reading->white};

    if (reading->n_bands > 0)
        DF_TRY(choose_bands(reading, image));
    if (reading->range == DF_RANGE_OF_TYPE)
        return 0;
    if (reading->range == DF_RANGE_OF_FILE)
        range = find_range(&bytes);
    return map_by_table(&bytes, &range, image);
}
