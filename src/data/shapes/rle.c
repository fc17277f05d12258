#include "rle.h"

#include "dinoft/error.h"

#define DIGIT_BITS 5
#define MOST_BITS  35 /* of a run with its sign: seven characters */

bool df_rle_covers(const uint32_t *runs, size_t count, int64_t pixels)
{
    int64_t sum = 0;

    for (size_t i = 0; i < count && sum <= pixels; i++)
        sum += runs[i];
    return sum == pixels;
}

void df_rle_draw_columns(struct df_canvas *canvas, const uint32_t *runs, size_t count, uint8_t label)
{
    const int64_t height = canvas->height;
    int64_t at = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t end = at + runs[i];
        /* A part in each column that the run has pixels in. */
        while (i % 2 == 1 && at < end) {
            const int64_t x = at / height, column_end = (x + 1) * height;
            const int64_t part_end = end < column_end ? end : column_end;
            df_canvas_mark(canvas, x, at - x * height);
            df_canvas_mark(canvas, x, part_end - x * height);
            at = part_end;
        }
        at = end;
    }
    df_canvas_fill_marked(canvas, label);
}

void df_rle_draw_rows(struct df_canvas *canvas, const int64_t box[4], const uint32_t *runs, size_t count,
                      uint8_t label)
{
    const int64_t width = box[2];
    int64_t at = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t end = at + runs[i];
        while (i % 2 == 1 && at < end) {
            const int64_t y = at / width, row_end = (y + 1) * width;
            const int64_t part_end = end < row_end ? end : row_end;
            df_canvas_span(canvas, box[1] + y, box[0] + at - y * width, box[0] + part_end - y * width - 1,
                           label);
            at = part_end;
        }
        at = end;
    }
}

/* The number at *text, which is moved behind it. */
static int read_number(const char **text, int64_t *number)
{
    int64_t value = 0;
    int bits = 0, digit;

    do {
        if (**text < '0' || **text > '0' + 63)
            return df_error_set("compressed runs hold the byte 0x%02x", (unsigned char)**text);
        digit = *(*text)++ - '0';
        if (bits == MOST_BITS)
            return df_error_set("compressed runs hold a number of more than %d bits", MOST_BITS);
        value |= (int64_t)(digit & 31) << bits;
        bits += DIGIT_BITS;
    } while (digit & 32);
    if (digit & 16)
        value -= (int64_t)1 << bits;
    *number = value;
    return 0;
}

int64_t df_rle_read(const char *text, uint32_t *runs)
{
    int64_t count = 0, number = 0;

    while (*text) {
        DF_TRY(read_number(&text, &number));
        if (count > 2)
            number += runs[count - 2];
        if (number < 0 || number > UINT32_MAX)
            return df_error_set("compressed runs hold one of %lld pixels", (long long)number);
        runs[count++] = (uint32_t)number;
    }
    return count;
}
