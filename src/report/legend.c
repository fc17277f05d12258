#include "dinoft/legend.h"

#include "plot/canvas.h"
#include "plot/color_scale.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE     14.0
#define ROW_HEIGHT    24
#define SWATCH_WIDTH  34
#define SWATCH_HEIGHT 18
#define NAME_GAP      8 /* between colour and name */
#define COLUMN_GAP    22
#define NAME_MOST     170 /* pixels */
#define NAME_BYTES    256
#define VOID_NAME     "not counted"
#define MARGIN        16 /* of a picture of its own */
#define MOST_ROWS     30 /* there */

static const uint8_t ink[3] = {0x1b, 0x1e, 0x22}, white[3] = {255, 255, 255}, frame[3] = {0x8b, 0x91, 0x99};

struct layout {
    int entries[256]; /* [count]: numbers */
    int count, columns, rows;
    int64_t column_width; /* with its gap */
};

static const char *name_of(const struct df_legend *legend, int number)
{
    return number < legend->n_classes ? legend->names[number] : legend->unknown ? legend->unknown : VOID_NAME;
}

static struct layout lay_out(const struct df_legend *legend, int64_t width)
{
    struct layout layout = {0};
    double longest = 0.0;

    for (int number = 0; number < 256; number++) {
        if (!legend->shown[number] || (number >= legend->n_classes && number != DF_IGNORE_LABEL))
            continue;
        layout.entries[layout.count++] = number;
        longest = fmax(longest, df_canvas_text_width(name_of(legend, number), TEXT_SIZE));
    }
    layout.column_width = SWATCH_WIDTH + NAME_GAP + (int64_t)ceil(fmin(longest, NAME_MOST)) + COLUMN_GAP;
    const int fit = (int)df_max_i64(1, (width + COLUMN_GAP) / layout.column_width);
    layout.rows = (layout.count + fit - 1) / fit;
    layout.columns = layout.rows > 0 ? (layout.count + layout.rows - 1) / layout.rows : 0;
    return layout;
}

void df_legend_add(struct df_legend *legend, const struct df_image *classes)
{
    for (int64_t i = 0; i < classes->width * classes->height; i++) {
        const uint8_t number = classes->pixels[i];
        if (number == DF_IGNORE_LABEL || !legend->palette->shows_image[number])
            legend->shown[number] = true;
    }
}

int64_t df_legend_height(const struct df_legend *legend, int64_t width)
{
    return (int64_t)lay_out(legend, width).rows * ROW_HEIGHT;
}

/* Stripes that fall to the left, black on white. */
static void hatch_pixel(uint8_t *pixel, int64_t x, int64_t y)
{
    memset(pixel, (x + y) % 6 < 2 ? 0 : 255, 3);
}

void df_legend_hatch(struct df_image *picture, const struct df_image *classes)
{
    for (int64_t i = 0; i < classes->width * classes->height; i++) {
        if (classes->pixels[i] == DF_IGNORE_LABEL)
            hatch_pixel(picture->pixels + 3 * i, i % classes->width, i / classes->width);
    }
}

static void draw_swatch(struct df_image *picture, int64_t x, int64_t y, const uint8_t color[3], int number)
{
    struct df_text_style style = {.size = TEXT_SIZE, .anchor = DF_ANCHOR_MIDDLE};
    char text[16];

    df_canvas_fill(picture, x, y, SWATCH_WIDTH, SWATCH_HEIGHT, frame);
    df_canvas_fill(picture, x + 1, y + 1, SWATCH_WIDTH - 2, SWATCH_HEIGHT - 2, color);
    memcpy(style.color, df_color_wants_white(color) ? white : ink, 3);
    snprintf(text, sizeof text, "%d", number);
    df_canvas_text(picture, (double)x + 0.5 * SWATCH_WIDTH,
                   (double)y + 0.5 * SWATCH_HEIGHT + 0.35 * TEXT_SIZE, text, &style);
}

static void draw_void_swatch(struct df_image *picture, int64_t x, int64_t y)
{
    df_canvas_fill(picture, x, y, SWATCH_WIDTH, SWATCH_HEIGHT, frame);
    for (int64_t row = y + 1; row < df_min_i64(y + SWATCH_HEIGHT - 1, picture->height); row++) {
        for (int64_t column = x + 1; column < df_min_i64(x + SWATCH_WIDTH - 1, picture->width); column++)
            hatch_pixel(picture->pixels + 3 * (row * picture->width + column), column, row);
    }
}

static void draw_entry(const struct df_legend *legend, struct df_image *picture, int64_t x, int64_t y,
                       int number)
{
    struct df_text_style style = {.size = TEXT_SIZE, .color = {ink[0], ink[1], ink[2]}};
    char name[NAME_BYTES];
    const int64_t top = y + (ROW_HEIGHT - SWATCH_HEIGHT) / 2;

    if (number < legend->n_classes || legend->unknown)
        draw_swatch(picture, x, top, legend->palette->rgb[number], number);
    else
        draw_void_swatch(picture, x, top);
    df_canvas_cut_text(name_of(legend, number), TEXT_SIZE, NAME_MOST, "...", name, sizeof name);
    df_canvas_text(picture, (double)(x + SWATCH_WIDTH + NAME_GAP),
                   (double)top + 0.5 * SWATCH_HEIGHT + 0.35 * TEXT_SIZE, name, &style);
}

void df_legend_draw(const struct df_legend *legend, struct df_image *picture, int64_t x, int64_t y,
                    int64_t width)
{
    const struct layout layout = lay_out(legend, width);

    for (int i = 0; i < layout.count; i++)
        draw_entry(legend, picture, x + i / layout.rows * layout.column_width,
                   y + (int64_t)(i % layout.rows) * ROW_HEIGHT, layout.entries[i]);
}

int df_legend_picture(const struct df_palette *palette, char *const *names, int n_classes,
                      const char *unknown, struct df_image *picture)
{
    struct df_legend legend = {
        .palette = palette, .names = names, .n_classes = n_classes, .unknown = unknown};
    const int entries = n_classes + (unknown ? 1 : 0);

    for (int number = 0; number < n_classes; number++)
        legend.shown[number] = true;
    legend.shown[DF_IGNORE_LABEL] = unknown != NULL;
    const int columns = (entries + MOST_ROWS - 1) / MOST_ROWS;
    const int64_t width = columns * lay_out(&legend, 1).column_width - COLUMN_GAP;
    const int64_t height = df_legend_height(&legend, width);
    DF_TRY(df_image_alloc(picture, width + 2 * MARGIN, height + 2 * MARGIN, 3));
    df_canvas_fill(picture, 0, 0, picture->width, picture->height, white);
    df_legend_draw(&legend, picture, MARGIN, MARGIN, width);
    return 0;
}
