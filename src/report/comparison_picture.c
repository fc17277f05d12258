#include "comparison_picture.h"

#include "class_panel.h"
#include "plot/canvas.h"

#include "dinoft/error.h"
#include "dinoft/legend.h"
#include "dinoft/size.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SIDE   320 /* of each of at most three panels: together they are as wide as a report's page */
#define GAP         6   /* white pixels between them */
#define MARGIN      16
#define TEXT_SIZE   14.0
#define TEXT_HEIGHT 24
#define TEXT_BYTES  256
#define LEAST_WIDTH 480 /* of captions and legend, where images are small */
#define STRIP_GAP   12  /* below a strip */

static const uint8_t white[3] = {255, 255, 255}, ink[3] = {0x1b, 0x1e, 0x22};

static int panels_of(const struct df_comparison_row *comparison)
{
    return comparison->prediction ? 3 : 2;
}

static void place(struct df_image *picture, int64_t x, int64_t y, const struct df_image *part)
{
    for (int64_t row = 0; row < part->height; row++)
        memcpy(picture->pixels + 3 * ((y + row) * picture->width + x), part->pixels + 3 * row * part->width,
               (size_t)(3 * part->width));
}

/* The classes over the panel's image, into the strip. */
static int place_classes(struct df_image *strip, int64_t x, const struct df_image *image,
                         const struct df_image *classes, const struct df_overlay_style *style)
{
    struct df_image panel;

    DF_TRY(df_class_panel(image, classes, style, &panel));
    place(strip, x, 0, &panel);
    df_image_free(&panel);
    return 0;
}

int df_comparison_strip(const struct df_comparison_row *comparison, const struct df_overlay_style *style,
                        struct df_image *strip)
{
    const int panels = panels_of(comparison);
    struct df_image panel;
    int status = -1;

    *strip = (struct df_image){0};
    DF_TRY(df_shrink_within(comparison->image, MOST_SIDE, &panel));
    const int64_t pitch = panel.width + GAP;
    if (df_image_alloc(strip, panels * pitch - GAP, panel.height, 3) == 0) {
        df_canvas_fill(strip, 0, 0, strip->width, strip->height, white);
        place(strip, 0, 0, &panel);
        status = place_classes(strip, pitch, &panel, comparison->label, style);
        if (status == 0 && comparison->prediction)
            status = place_classes(strip, 2 * pitch, &panel, comparison->prediction, style);
    }
    df_image_free(&panel);
    if (status != 0)
        df_image_free(strip);
    return status;
}

static void write_text(struct df_image *picture, int64_t x, int64_t y, const char *text)
{
    const struct df_text_style style = {.size = TEXT_SIZE, .color = {ink[0], ink[1], ink[2]}};
    char cut[TEXT_BYTES];

    df_canvas_cut_text(text, TEXT_SIZE, (double)(picture->width - MARGIN - x), "...", cut, sizeof cut);
    df_canvas_text(picture, (double)x, (double)y + 0.7 * TEXT_HEIGHT, cut, &style);
}

/* What the panels of a strip are. */
static void write_heads(struct df_image *picture, int64_t strip_width, int panels)
{
    static const char *const heads[] = {"image", "label", "prediction"};

    for (int i = 0; i < panels; i++)
        write_text(picture, MARGIN + i * (strip_width + GAP) / panels, MARGIN, heads[i]);
}

/* The strips below each other and the legend below them. */
static int compose(const struct df_comparison_row *comparisons, const struct df_image *strips, size_t count,
                   const struct df_legend *legend, struct df_image *picture)
{
    int64_t width = LEAST_WIDTH, y = MARGIN + TEXT_HEIGHT, height = y + MARGIN;

    for (size_t i = 0; i < count; i++) {
        width = df_max_i64(width, strips[i].width);
        height += strips[i].height + TEXT_HEIGHT + STRIP_GAP;
    }
    DF_TRY(df_image_alloc(picture, width + 2 * MARGIN, height + df_legend_height(legend, width), 3));
    df_canvas_fill(picture, 0, 0, picture->width, picture->height, white);
    write_heads(picture, strips[0].width, panels_of(&comparisons[0]));
    for (size_t i = 0; i < count; i++) {
        place(picture, MARGIN, y, &strips[i]);
        y += strips[i].height;
        write_text(picture, MARGIN, y, comparisons[i].caption);
        y += TEXT_HEIGHT + STRIP_GAP;
    }
    df_legend_draw(legend, picture, MARGIN, y, width);
    return 0;
}

int df_comparison_draw(const struct df_comparison_row *comparisons, size_t count,
                       const struct df_overlay_style *style, char *const *names, int n_classes,
                       struct df_image *picture)
{
    struct df_legend legend = {.palette = &style->palette, .names = names, .n_classes = n_classes};
    struct df_image *strips = calloc(count, sizeof *strips);
    int status = strips ? 0 : df_error_memory("a picture", count * sizeof *strips);

    for (size_t i = 0; i < count && status == 0; i++) {
        status = df_comparison_strip(&comparisons[i], style, &strips[i]);
        df_legend_add(&legend, comparisons[i].label);
        if (comparisons[i].prediction)
            df_legend_add(&legend, comparisons[i].prediction);
    }
    if (status == 0)
        status = compose(comparisons, strips, count, &legend, picture);
    for (size_t i = 0; strips && i < count; i++)
        df_image_free(&strips[i]);
    free(strips);
    return status;
}
