#include "canvas.h"

#include "font.h"

#include "dinoft/size.h"
#include "dinoft/text.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Strokes are at least so wide in pixels, or small text turns pale. */
#define LEAST_STROKE 1.15
#define STROKE       0.085 /* of the text's size */
#define HALO         0.14  /* of the text's size, on either side of a stroke; at most HALO_MOST pixels */
#define HALO_MOST    5.0
#define CURVE_PARTS  6 /* lines that a curve is drawn as */

/* A glyph is drawn into a square of its own first, so that strokes that cross do not blend twice. */
#define TILE      96
#define TILE_LEFT 8  /* where the glyph's left edge is in it */
#define TILE_LINE 72 /* and the line that it stands on */

struct tile {
    uint8_t coverage[TILE][TILE];
    double half_stroke, scale;
};

struct point {
    double x, y;
};

void df_canvas_fill(struct df_image *image, int64_t x, int64_t y, int64_t width, int64_t height,
                    const uint8_t color[3])
{
    const int64_t right = df_min_i64(x + width, image->width), bottom = df_min_i64(y + height, image->height);

    assert(image->channels == 3);
    for (int64_t row = df_max_i64(y, 0); row < bottom; row++)
        for (int64_t column = df_max_i64(x, 0); column < right; column++)
            memcpy(image->pixels + 3 * (row * image->width + column), color, 3);
}

/* The code points of a text one after the other; bytes that belong to none are U+FFFD. 0 at the end. */
static uint32_t next_character(const char **text)
{
    uint32_t code;
    if (!**text)
        return 0;
    const size_t length = df_text_code_point(*text, strlen(*text), &code);
    *text += length > 0 ? length : 1;
    return length > 0 ? code : 0xfffd;
}

double df_canvas_text_width(const char *text, double size)
{
    double units = 0.0;
    for (uint32_t code = next_character(&text); code; code = next_character(&text))
        units += font_glyph(code)->width + FONT_SPACE;
    return units * size / FONT_UNITS;
}

void df_canvas_cut_text(const char *text, double text_size, double width, const char *ellipsis, char *out,
                        size_t size)
{
    const size_t length = strlen(text), ellipsis_size = strlen(ellipsis) + 1;
    size_t used = 0;

    assert(size >= ellipsis_size);
    if (length < size && df_canvas_text_width(text, text_size) <= width) {
        memcpy(out, text, length + 1);
        return;
    }
    const double left = width - df_canvas_text_width(ellipsis, text_size);
    while (used < length) {
        uint32_t code;
        size_t step = df_text_code_point(text + used, length - used, &code);
        step = step > 0 ? step : 1;
        if (used + step + ellipsis_size > size)
            break;
        memcpy(out + used, text + used, step);
        out[used + step] = '\0';
        if (df_canvas_text_width(out, text_size) > left)
            break;
        used += step;
    }
    memcpy(out + used, ellipsis, ellipsis_size);
}

static double distance(struct point p, struct point a, struct point b)
{
    const double dx = b.x - a.x, dy = b.y - a.y;
    const double along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy + 1e-12);
    const double t = fmin(fmax(along, 0.0), 1.0);
    const double beside_x = p.x - a.x - t * dx, beside_y = p.y - a.y - t * dy;
    return sqrt(beside_x * beside_x + beside_y * beside_y);
}

/* Where a point of the font lies in the tile; the middle of a pixel has whole coordinates. */
static struct point in_tile(const struct tile *tile, struct point p)
{
    return (struct point){TILE_LEFT + p.x * tile->scale, TILE_LINE - p.y * tile->scale};
}

static void draw_line(struct tile *tile, struct point from, struct point to)
{
    const struct point a = in_tile(tile, from), b = in_tile(tile, to);
    const double reach = tile->half_stroke + 1.0;
    const int left = (int)fmax(floor(fmin(a.x, b.x) - reach), 0.0);
    const int right = (int)fmin(ceil(fmax(a.x, b.x) + reach), TILE - 1);
    const int top = (int)fmax(floor(fmin(a.y, b.y) - reach), 0.0);
    const int bottom = (int)fmin(ceil(fmax(a.y, b.y) + reach), TILE - 1);

    for (int y = top; y <= bottom; y++) {
        for (int x = left; x <= right; x++) {
            const double inside = tile->half_stroke + 0.5 - distance((struct point){x, y}, a, b);
            const uint8_t covered = (uint8_t)lrint(255.0 * fmin(fmax(inside, 0.0), 1.0));
            if (covered > tile->coverage[y][x])
                tile->coverage[y][x] = covered;
        }
    }
}

static void draw_curve(struct tile *tile, struct point from, struct point control, struct point to)
{
    struct point last = from;
    for (int i = 1; i <= CURVE_PARTS; i++) {
        const double t = (double)i / CURVE_PARTS, s = 1.0 - t;
        const struct point next = {s * s * from.x + 2 * s * t * control.x + t * t * to.x,
                                   s * s * from.y + 2 * s * t * control.y + t * t * to.y};
        draw_line(tile, last, next);
        last = next;
    }
}

static struct point read_point(const char **strokes)
{
    char *end;
    struct point p;
    p.x = strtod(*strokes, &end);
    p.y = strtod(end, &end);
    *strokes = end;
    return p;
}

static void draw_glyph(struct tile *tile, const char *strokes)
{
    struct point at = {0, 0};

    memset(tile->coverage, 0, sizeof tile->coverage);
    while (*strokes) {
        const char kind = *strokes++;
        struct point next = read_point(&strokes);
        if (kind == 'L') {
            draw_line(tile, at, next);
        } else if (kind == 'Q') {
            const struct point control = next;
            next = read_point(&strokes);
            draw_curve(tile, at, control, next);
        }
        at = next;
    }
}

static void blend(struct df_image *image, int64_t x, int64_t y, const uint8_t color[3], int coverage)
{
    if (coverage == 0 || x < 0 || y < 0 || x >= image->width || y >= image->height)
        return;
    uint8_t *pixel = image->pixels + 3 * (y * image->width + x);
    for (int c = 0; c < 3; c++)
        pixel[c] = (uint8_t)((pixel[c] * (255 - coverage) + color[c] * coverage + 127) / 255);
}

/* The tile with its left edge and line at (x, y). */
static void place_tile(struct df_image *image, const struct tile *tile, int64_t x, int64_t y, bool upward,
                       const uint8_t color[3])
{
    for (int row = 0; row < TILE; row++) {
        for (int column = 0; column < TILE; column++) {
            const int64_t along = column - TILE_LEFT, down = row - TILE_LINE;
            if (upward)
                blend(image, x + down, y - along, color, tile->coverage[row][column]);
            else
                blend(image, x + along, y + down, color, tile->coverage[row][column]);
        }
    }
}

/* All glyphs with one width of strokes. */
static void draw_strokes(struct df_image *image, double x, double y, const char *text,
                         const struct df_text_style *style, double half_stroke, const uint8_t color[3])
{
    static const double share[] = {[DF_ANCHOR_START] = 0.0, [DF_ANCHOR_MIDDLE] = 0.5, [DF_ANCHOR_END] = 1.0};
    struct tile tile = {.scale = style->size / FONT_UNITS, .half_stroke = half_stroke};
    /* A glyph has half of the space at either side. */
    double pen =
        0.5 * FONT_SPACE * tile.scale - share[style->anchor] * df_canvas_text_width(text, style->size);

    for (uint32_t code = next_character(&text); code; code = next_character(&text)) {
        const struct font_glyph *glyph = font_glyph(code);
        draw_glyph(&tile, glyph->strokes);
        /* At whole pixels, so that upright strokes are sharp. */
        if (style->upward)
            place_tile(image, &tile, lrint(x), lrint(y - pen), true, color);
        else
            place_tile(image, &tile, lrint(x + pen), lrint(y), false, color);
        pen += (glyph->width + FONT_SPACE) * tile.scale;
    }
}

void df_canvas_text(struct df_image *image, double x, double y, const char *text,
                    const struct df_text_style *style)
{
    static const uint8_t white[3] = {255, 255, 255};
    const double half_stroke = 0.5 * fmax(LEAST_STROKE, STROKE * style->size);

    assert(image->channels == 3 && style->size >= 4.0 && style->size <= DF_TEXT_SIZE_MAX);
    if (style->halo)
        draw_strokes(image, x, y, text, style, half_stroke + fmin(HALO * style->size, HALO_MOST), white);
    draw_strokes(image, x, y, text, style, half_stroke, style->color);
}
