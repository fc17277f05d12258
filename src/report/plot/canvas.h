/* Drawing into images: filled rectangles, and text in a font of the program's own. */
#ifndef DINOFT_REPORT_CANVAS_H
#define DINOFT_REPORT_CANVAS_H
#include "dinoft/image.h"

#include <stdbool.h>

enum df_text_anchor { DF_ANCHOR_START, DF_ANCHOR_MIDDLE, DF_ANCHOR_END };

/* Capitals are 0.7 of the size high, small letters 0.5, and descenders reach 0.2 below the line. */
struct df_text_style {
    double size; /* pixels, 4 .. DF_TEXT_SIZE_MAX */
    uint8_t color[3];
    enum df_text_anchor anchor; /* which point of the text lies at the position */
    bool upward;                /* turned a quarter to the left: read from below */
    bool halo;                  /* a white edge around the strokes, over pictures */
};

#define DF_TEXT_SIZE_MAX 48.0

/* Pixels outside the RGB image are left out by both. */
void df_canvas_fill(struct df_image *image, int64_t x, int64_t y, int64_t width, int64_t height,
                    const uint8_t color[3]);

/* Text on a line through (x, y). UTF-8; a character beyond ASCII, or a byte that is none, is an empty box. */
void df_canvas_text(struct df_image *image, double x, double y, const char *text,
                    const struct df_text_style *style);

/* How long it is. Near enough to common sans-serif fonts to lay out text that is set in those. */
double df_canvas_text_width(const char *text, double size);

/* Copies the text into out, at most size bytes, or as many of its characters as fit into `width` pixels with
 * the ellipsis behind them. */
void df_canvas_cut_text(const char *text, double text_size, double width, const char *ellipsis, char *out,
                        size_t size);

#endif
