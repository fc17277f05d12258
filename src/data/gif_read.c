/* The first picture of a GIF. Transparent pixels keep the colour that the palette gives them, as those of a
 * PNG do, and as Pillow's conversion to RGB does; OpenCV gives them the background's. */
#include "codec.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

#define CODES_MOST     4096 /* of 12 bits */
#define CODE_BITS_MOST 12
#define HEADER_BYTES   13
#define PICTURE_BYTES  9 /* behind the comma */
/* A code may stand for nearly CODES_MOST pixels, and a picture may cover a part of the canvas: more than any
 * file is meant to need. */
#define PIXELS_OF_A_BYTE (1 << 16)

enum { EXTENSION = '!', PICTURE = ',', TRAILER = ';' };

struct reader {
    const unsigned char *bytes;
    size_t size, at;
    size_t block;  /* bytes that are left of the block */
    uint32_t bits; /* read and not used yet, the next one lowest */
    int n_bits;
    bool ended; /* there are no more blocks */
};

struct colours {
    const unsigned char *rgb; /* [count, 3] */
    int count;
};

/* Where pixels go: rows of an interlaced picture come in four passes. */
struct canvas {
    struct df_image *image;
    int64_t left, top, width, height;
    bool interlaced;
    int pass;
    int64_t x, y;
    struct colours colours;
};

static int cut_short(void)
{
    return df_error_set("premature end of file");
}

static int u16(const unsigned char *bytes)
{
    return bytes[0] | bytes[1] << 8;
}

/* A table of colours, if the flags say that there is one. */
static int read_colours(struct reader *reader, int flags, struct colours *colours)
{
    if (!(flags & 0x80))
        return 0;
    colours->count = 2 << (flags & 7);
    if (reader->size - reader->at < (size_t)colours->count * 3)
        return cut_short();
    colours->rgb = reader->bytes + reader->at;
    reader->at += (size_t)colours->count * 3;
    return 0;
}

static int skip_blocks(struct reader *reader)
{
    while (reader->at < reader->size) {
        const size_t length = reader->bytes[reader->at++];
        if (length == 0)
            return 0;
        if (length > reader->size - reader->at)
            break;
        reader->at += length;
    }
    return cut_short();
}

/* To the byte behind the next comma; false: there is no picture. */
static bool find_picture(struct reader *reader)
{
    while (reader->at < reader->size) {
        const int kind = reader->bytes[reader->at++];
        if (kind == PICTURE)
            return true;
        if (kind != EXTENSION || reader->at == reader->size)
            return false;
        reader->at++; /* its label */
        if (skip_blocks(reader) != 0)
            return false;
    }
    return false;
}

/* The next byte of the blocks; -1: there is none. */
static int next_byte(struct reader *reader)
{
    if (reader->block == 0 && !reader->ended) {
        reader->block = reader->at < reader->size ? reader->bytes[reader->at++] : 0;
        reader->ended = reader->block == 0;
    }
    if (reader->ended || reader->at == reader->size)
        return -1;
    reader->block--;
    return reader->bytes[reader->at++];
}

/* -1: there is none. */
static int next_code(struct reader *reader, int width)
{
    while (reader->n_bits < width) {
        const int byte = next_byte(reader);
        if (byte < 0)
            return -1;
        reader->bits |= (uint32_t)byte << reader->n_bits;
        reader->n_bits += 8;
    }
    const int code = (int)(reader->bits & ((1u << width) - 1));
    reader->bits >>= width;
    reader->n_bits -= width;
    return code;
}

static void next_row(struct canvas *canvas)
{
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};

    canvas->x = 0;
    canvas->y += canvas->interlaced ? steps[canvas->pass] : 1;
    while (canvas->interlaced && canvas->y >= canvas->height && canvas->pass < 3)
        canvas->y = starts[++canvas->pass];
}

static bool is_full(const struct canvas *canvas)
{
    return canvas->y >= canvas->height;
}

static int put(struct canvas *canvas, int index)
{
    struct df_image *image = canvas->image;
    const int64_t at = (canvas->top + canvas->y) * image->width + canvas->left + canvas->x;

    if (index >= canvas->colours.count)
        return df_error_set("damaged GIF (colour %d of %d)", index, canvas->colours.count);
    memcpy(image->pixels + 3 * at, canvas->colours.rgb + 3 * index, 3);
    if (++canvas->x == canvas->width)
        next_row(canvas);
    return 0;
}

/* What codes stand for: that of another one, and one index more. */
struct dictionary {
    uint16_t before[CODES_MOST];
    uint8_t index[CODES_MOST];
    int count;
};

/* Puts what a code stands for; the first of its indices comes back. -1 with the error set. */
static int put_code(struct canvas *canvas, const struct dictionary *dictionary, int code, int clear)
{
    uint8_t indices[CODES_MOST];
    int count = 0;

    for (; code > clear; code = dictionary->before[code])
        indices[count++] = dictionary->index[code];
    indices[count++] = (uint8_t)code;
    const int first = code;
    while (count > 0 && !is_full(canvas))
        DF_TRY(put(canvas, indices[--count]));
    return first;
}

/* LZW: codes from `clear` + 2 on are made while it goes on. */
static int decode_picture(struct reader *reader, struct canvas *canvas, int index_bits)
{
    const int clear = 1 << index_bits, end = clear + 1;
    struct dictionary dictionary = {.count = end + 1};
    int width = index_bits + 1, before = -1;

    while (!is_full(canvas)) {
        const int code = next_code(reader, width);
        if (code < 0 || code == end)
            return cut_short();
        if (code == clear) {
            dictionary.count = end + 1;
            width = index_bits + 1;
            before = -1;
            continue;
        }
        const bool is_new = code == dictionary.count && before >= 0; /* what it is made of is just known */
        if (code > dictionary.count || (code == dictionary.count && !is_new) || (before < 0 && code > clear))
            return df_error_set("damaged GIF (code %d of %d)", code, dictionary.count);
        if (before >= 0 && dictionary.count < CODES_MOST) {
            int first = is_new ? before : code;
            while (first > clear)
                first = dictionary.before[first];
            dictionary.before[dictionary.count] = (uint16_t)before;
            dictionary.index[dictionary.count++] = (uint8_t)first;
        }
        if (put_code(canvas, &dictionary, code, clear) < 0)
            return -1;
        if (dictionary.count == 1 << width && width < CODE_BITS_MOST)
            width++;
        before = code;
    }
    return 0;
}

static int read_picture(struct reader *reader, struct colours colours, struct df_image *image)
{
    if (reader->size - reader->at <= PICTURE_BYTES)
        return cut_short();
    const unsigned char *header = reader->bytes + reader->at;
    struct canvas canvas = {.image = image,
                            .left = u16(header),
                            .top = u16(header + 2),
                            .width = u16(header + 4),
                            .height = u16(header + 6),
                            .interlaced = header[8] & 0x40,
                            .colours = colours};
    reader->at += PICTURE_BYTES;
    if (canvas.width < 1 || canvas.height < 1 || canvas.left + canvas.width > image->width ||
        canvas.top + canvas.height > image->height)
        return df_error_set("damaged GIF (a picture that lies outside of it)");
    DF_TRY(read_colours(reader, header[8], &canvas.colours));
    if (reader->at == reader->size)
        return cut_short();
    const int index_bits = reader->bytes[reader->at++];
    if (index_bits < 2 || index_bits > 8)
        return df_error_set("damaged GIF (indices of %d bits)", index_bits);
    return decode_picture(reader, &canvas, index_bits);
}

/* What the picture does not cover has the background's colour. */
static void fill(struct df_image *image, struct colours colours, int background)
{
    static const unsigned char black[3] = {0};
    const unsigned char *rgb = background < colours.count ? colours.rgb + 3 * background : black;

    for (int64_t i = 0; i < image->width * image->height; i++)
        memcpy(image->pixels + 3 * i, rgb, 3);
}

static int decode(struct reader *reader, struct df_image *image)
{
    struct colours colours = {0};

    if (reader->size < HEADER_BYTES)
        return cut_short();
    const unsigned char *header = reader->bytes;
    const int width = u16(header + 6), height = u16(header + 8);
    reader->at = HEADER_BYTES;
    DF_TRY(df_image_check_file(width, height, reader->size, PIXELS_OF_A_BYTE));
    DF_TRY(read_colours(reader, header[10], &colours));
    if (!find_picture(reader))
        return df_error_set("a GIF without a picture: it is damaged or was cut short");
    DF_TRY(df_image_alloc(image, width, height, 3));
    fill(image, colours, header[11]);
    DF_TRY(read_picture(reader, colours, image));
    reader->at += reader->block;
    if (reader->at < reader->size && (reader->ended || skip_blocks(reader) == 0) && find_picture(reader))
        image->warning = "it is animated: the first picture is read";
    return 0;
}

int df_gif_decode(const unsigned char *bytes, size_t size, struct df_image *image)
{
    struct reader reader = {.bytes = bytes, .size = size};

    memset(image, 0, sizeof *image);
    if (decode(&reader, image) == 0)
        return 0;
    df_image_free(image);
    return -1;
}
