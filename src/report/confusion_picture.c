#include "dinoft/confusion_picture.h"

#include "plot/canvas.h"
#include "plot/color_scale.h"

#include "dinoft/size.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TITLE "Confusion matrix: % of each class's labelled pixels"

#define MARGIN       20
#define TITLE_SIZE   18.0 /* these grow with a large matrix */
#define TITLE_HEIGHT 44
#define AXIS_SIZE    15.0
#define AXIS_HEIGHT  30 /* of "label" and "prediction" */
#define BAR_GAP      26 /* between matrix and colour bar */
#define BAR_WIDTH    16
#define BAR_LABELS   44
#define BAR_SIZE     13.0
#define BAR_LONGEST  460
#define LARGE_SIDE   900.0 /* of a matrix that they have the sizes above for */
#define NAME_GAP     8     /* between names and matrix */
#define NAME_SIZE    15.0
#define NAMES_MOST   15.0 /* the widest names: so many times their size */

#define MOST_NUMBERED 25 /* classes whose cells hold numbers */
#define MOST_DECIMALS 12 /* classes whose cells hold a decimal */
#define GUIDE_EVERY   10 /* classes, where there are too many to follow a row by eye */
#define NAME_BYTES    256

static const uint8_t white[3] = {255, 255, 255}, ink[3] = {0x1b, 0x1e, 0x22}, guide[3] = {0xd4, 0xd8, 0xdd},
                     hatch[3] = {0xc4, 0xc4, 0xc4};

struct layout {
    int n_classes;
    int64_t cell, side;                    /* of a class, of the matrix */
    int64_t left, top;                     /* of the matrix */
    int64_t axis;                          /* space for an axis' name */
    int64_t names;                         /* length of the longest */
    int64_t bar_left, bar_width, bar_side; /* the colour bar, as high as bar_side */
    double name_size, number_size;
    double growth; /* of the sizes of titles and the colour bar */
    int64_t width, height;
};

static int64_t cell_size(int n_classes)
{
    if (n_classes <= MOST_NUMBERED)
        return df_max_i64(34, df_min_i64(110, 840 / n_classes));
    return df_max_i64(8, df_min_i64(30, 1800 / n_classes));
}

static struct layout lay_out(const struct df_metrics *metrics, char *const *names)
{
    const int n = metrics->n_classes;
    struct layout l = {.n_classes = n, .cell = cell_size(n)};

    l.side = l.cell * n;
    l.growth = fmax(1.0, (double)l.side / LARGE_SIDE);
    l.name_size = fmin(NAME_SIZE * sqrt(l.growth), (double)l.cell);
    l.number_size = n <= 4 ? 18.0 : n <= MOST_DECIMALS ? 15.0 : 13.0;
    for (int i = 0; i < n; i++)
        l.names = df_max_i64(l.names, (int64_t)ceil(df_canvas_text_width(names[i], l.name_size)));
    l.names = df_min_i64(l.names, lrint(NAMES_MOST * l.name_size));
    l.axis = lrint(l.growth * AXIS_HEIGHT);
    l.left = MARGIN + l.axis + l.names + NAME_GAP;
    l.top = MARGIN + lrint(l.growth * TITLE_HEIGHT);
    l.bar_left = l.left + l.side + lrint(l.growth * BAR_GAP);
    l.bar_width = lrint(l.growth * BAR_WIDTH);
    l.bar_side = df_min_i64(l.side, lrint(l.growth * BAR_LONGEST));
    l.height = l.top + l.side + NAME_GAP + l.names + l.axis + MARGIN;
    l.width = df_max_i64(l.bar_left + l.bar_width + lrint(l.growth * BAR_LABELS),
                         MARGIN + lrint(df_canvas_text_width(TITLE, l.growth * TITLE_SIZE))) +
              MARGIN;
    return l;
}

/* NaN for a class that is labelled nowhere. */
static double share(const struct df_metrics *metrics, int label, int prediction, int64_t labelled)
{
    if (labelled == 0)
        return NAN;
    return (double)metrics->confusion[(int64_t)label * metrics->n_classes + prediction] / (double)labelled;
}

static int64_t labelled_pixels(const struct df_metrics *metrics, int label)
{
    int64_t sum = 0;
    for (int i = 0; i < metrics->n_classes; i++)
        sum += metrics->confusion[(int64_t)label * metrics->n_classes + i];
    return sum;
}

static void draw_hatch(struct df_image *picture, int64_t x, int64_t y, int64_t side)
{
    for (int64_t row = 0; row < side; row++)
        for (int64_t column = 0; column < side; column++)
            if ((x + column + y + row) % 6 == 0)
                df_canvas_fill(picture, x + column, y + row, 1, 1, hatch);
}

static void draw_number(struct df_image *picture, const struct layout *l, int64_t x, int64_t y, double value,
                        const uint8_t background[3])
{
    char text[16];
    const bool light = df_color_wants_white(background);
    struct df_text_style style = {.size = l->number_size, .anchor = DF_ANCHOR_MIDDLE};

    memcpy(style.color, light ? white : ink, 3);
    snprintf(text, sizeof text, "%.*f", l->n_classes <= MOST_DECIMALS ? 1 : 0, 100.0 * value);
    df_canvas_text(picture, (double)x + 0.5 * (double)l->cell,
                   (double)y + 0.5 * (double)l->cell + 0.35 * l->number_size, text, &style);
}

/* White lines between cells with numbers. */
static int64_t gap_size(int n_classes)
{
    return n_classes <= MOST_NUMBERED ? 1 : 0;
}

static void draw_cells(struct df_image *picture, const struct layout *l, const struct df_metrics *metrics)
{
    const int64_t gap = gap_size(l->n_classes);

    for (int label = 0; label < l->n_classes; label++) {
        const int64_t y = l->top + label * l->cell, labelled = labelled_pixels(metrics, label);
        for (int prediction = 0; prediction < l->n_classes; prediction++) {
            const int64_t x = l->left + prediction * l->cell;
            const double value = share(metrics, label, prediction, labelled);
            uint8_t color[3];
            df_color_scale(sqrt(value), color);
            df_canvas_fill(picture, x, y, l->cell - gap, l->cell - gap, color);
            if (isnan(value))
                draw_hatch(picture, x, y, l->cell - gap);
            else if (value > 0.0 && l->n_classes <= MOST_NUMBERED)
                draw_number(picture, l, x, y, value, color);
        }
    }
}

static void draw_frame(struct df_image *picture, int64_t x, int64_t y, int64_t width, int64_t height)
{
    df_canvas_fill(picture, x - 1, y - 1, width + 2, 1, ink);
    df_canvas_fill(picture, x - 1, y + height, width + 2, 1, ink);
    df_canvas_fill(picture, x - 1, y - 1, 1, height + 2, ink);
    df_canvas_fill(picture, x + width, y - 1, 1, height + 2, ink);
}

static void draw_guides(struct df_image *picture, const struct layout *l)
{
    for (int i = GUIDE_EVERY; i < l->n_classes && l->n_classes > MOST_NUMBERED; i += GUIDE_EVERY) {
        df_canvas_fill(picture, l->left, l->top + i * l->cell, l->side, 1, guide);
        df_canvas_fill(picture, l->left + i * l->cell, l->top, 1, l->side, guide);
    }
}

static void draw_names(struct df_image *picture, const struct layout *l, char *const *names)
{
    struct df_text_style style = {.size = l->name_size, .anchor = DF_ANCHOR_END};
    char name[NAME_BYTES];

    memcpy(style.color, ink, 3);
    for (int i = 0; i < l->n_classes; i++) {
        /* The middle of the small letters is the middle of the row. */
        const double middle = ((double)i + 0.5) * (double)l->cell + 0.3 * l->name_size;
        df_canvas_cut_text(names[i], l->name_size, NAMES_MOST * l->name_size, "...", name, sizeof name);
        style.upward = false;
        df_canvas_text(picture, (double)(l->left - NAME_GAP), (double)l->top + middle, name, &style);
        style.upward = true;
        df_canvas_text(picture, (double)l->left + middle, (double)(l->top + l->side + NAME_GAP), name,
                       &style);
    }
}

static void draw_titles(struct df_image *picture, const struct layout *l)
{
    struct df_text_style style = {.size = l->growth * TITLE_SIZE};
    const double middle = 0.5 * (double)l->side;
    const double width = df_canvas_text_width(TITLE, style.size);

    memcpy(style.color, ink, 3);
    /* Above the matrix, or from the left where it is wider than that. */
    df_canvas_text(picture, fmax(MARGIN, fmin((double)l->left, (double)l->width - MARGIN - width)),
                   MARGIN + style.size, TITLE, &style);
    style.size = l->growth * AXIS_SIZE;
    style.anchor = DF_ANCHOR_MIDDLE;
    df_canvas_text(picture, (double)l->left + middle, (double)(l->height - MARGIN), "prediction", &style);
    style.upward = true;
    df_canvas_text(picture, MARGIN + style.size, (double)l->top + middle, "label", &style);
}

static void draw_color_bar(struct df_image *picture, const struct layout *l)
{
    static const int marks[] = {0, 1, 5, 10, 20, 40, 60, 80, 100};
    struct df_text_style style = {.size = l->growth * BAR_SIZE};
    const int64_t right = l->bar_left + l->bar_width;
    char text[16];

    memcpy(style.color, ink, 3);
    for (int64_t row = 0; row < l->bar_side; row++) {
        uint8_t color[3];
        df_color_scale(1.0 - ((double)row + 0.5) / (double)l->bar_side, color);
        df_canvas_fill(picture, l->bar_left, l->top + row, l->bar_width, 1, color);
    }
    draw_frame(picture, l->bar_left, l->top, l->bar_width, l->bar_side);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const double y = (double)l->top + (1.0 - sqrt(marks[i] / 100.0)) * (double)l->bar_side;
        df_canvas_fill(picture, right, lrint(y), 5, 1, ink);
        snprintf(text, sizeof text, "%d", marks[i]);
        df_canvas_text(picture, (double)(right + 8), y + 0.35 * style.size, text, &style);
    }
}

int df_confusion_draw(const struct df_metrics *metrics, char *const *names, struct df_image *picture)
{
    const struct layout layout = lay_out(metrics, names);

    if (df_image_alloc(picture, layout.width, layout.height, 3) != 0)
        return -1;
    df_canvas_fill(picture, 0, 0, layout.width, layout.height, white);
    draw_cells(picture, &layout, metrics);
    draw_guides(picture, &layout);
    draw_frame(picture, layout.left, layout.top, layout.side - gap_size(layout.n_classes),
               layout.side - gap_size(layout.n_classes));
    draw_names(picture, &layout, names);
    draw_titles(picture, &layout);
    draw_color_bar(picture, &layout);
    return 0;
}
