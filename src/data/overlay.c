#include "dinoft/overlay.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define WHOLE 256 /* weights are parts of this */
#define LINE_SHARE                                                                                           \
    0.003 /* of the shorter side: the width of each of an outline's two lines; at least 1 pixel */
#define LINE_MOST 4

static void blend(uint8_t *pixel, const uint8_t color[3], int weight)
{
    for (int c = 0; c < 3; c++)
        pixel[c] = (uint8_t)((pixel[c] * (WHOLE - weight) + color[c] * weight + WHOLE / 2) / WHOLE);
}

/* Whether the pixel's region ends within `reach` pixels to the left, right, above or below; the image's
 * border ends none. */
static bool is_at_edge(const struct df_image *classes, int64_t x, int64_t y, int64_t reach)
{
    const uint8_t *pixel = classes->pixels + y * classes->width + x;

    for (int64_t step = 1; step <= reach; step++) {
        if ((x >= step && pixel[-step] != *pixel) || (x + step < classes->width && pixel[step] != *pixel) ||
            (y >= step && pixel[-step * classes->width] != *pixel) ||
            (y + step < classes->height && pixel[step * classes->width] != *pixel))
            return true;
    }
    return false;
}

/* White beside dark colours, black beside light ones. */
static const uint8_t *rim_color(const uint8_t color[3])
{
    static const uint8_t white[3] = {255, 255, 255}, black[3] = {0, 0, 0};
    return 299 * color[0] + 587 * color[1] + 114 * color[2] < 128 * 1000 ? white : black;
}

static void draw_outlines(const struct df_image *classes, const struct df_palette *palette,
                          struct df_image *result)
{
    const double shorter = (double)df_min_i64(classes->width, classes->height);
    const int64_t line = df_min_i64(LINE_MOST, df_max_i64(1, lrint(LINE_SHARE * shorter)));

    for (int64_t y = 0; y < classes->height; y++) {
        for (int64_t x = 0; x < classes->width; x++) {
            const int64_t i = y * classes->width + x;
            const uint8_t number = classes->pixels[i], *color = palette->rgb[number];
            if (palette->shows_image[number] || !is_at_edge(classes, x, y, 2 * line))
                continue;
            memcpy(result->pixels + 3 * i, is_at_edge(classes, x, y, line) ? rim_color(color) : color, 3);
        }
    }
}

struct df_overlay_style df_overlay_style_of(const struct df_dataset *set)
{
    struct df_overlay_style style = {.opacity = DF_OVERLAY_OPACITY, .outlines = true};

    df_palette_fill_classes(&style.palette, set->kind, set->class_names[0],
                            (const uint8_t(*)[3])set->class_colors, set->n_classes);
    return style;
}

int df_overlay_draw(const struct df_image *image, const struct df_image *classes,
                    const struct df_overlay_style *style, struct df_image *result)
{
    const struct df_palette *palette = &style->palette;
    const int weight = (int)lrint(WHOLE * style->opacity);

    if (image->channels != 3 || classes->channels != 1 || image->width != classes->width ||
        image->height != classes->height)
        return df_error_set(
            "overlay: an image of %" PRId64 " x %" PRId64 " (%d channels) and classes of %" PRId64
            " x %" PRId64 " (%d channels) do not fit",
            image->height, image->width, image->channels, classes->height, classes->width, classes->channels);
    DF_TRY(df_image_alloc(result, image->width, image->height, 3));
    const int64_t count = image->width * image->height;
    memcpy(result->pixels, image->pixels, (size_t)(3 * count));
    for (int64_t i = 0; i < count; i++) {
        const uint8_t number = classes->pixels[i];
        if (!palette->shows_image[number])
            blend(result->pixels + 3 * i, palette->rgb[number], weight);
    }
    if (style->outlines)
        draw_outlines(classes, palette, result);
    return 0;
}

int df_overlay(const struct df_image *image, const struct df_image *classes, const uint8_t palette[256][3],
               struct df_image *result)
{
    struct df_overlay_style style = {.opacity = 0.5};

    memcpy(style.palette.rgb, palette, sizeof style.palette.rgb);
    style.palette.shows_image[DF_IGNORE_LABEL] = true;
    return df_overlay_draw(image, classes, &style, result);
}
