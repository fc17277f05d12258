#include "canvas.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdlib.h>
#include <string.h>

static void forget_marks(struct df_canvas *canvas)
{
    canvas->left = canvas->width;
    canvas->top = canvas->height;
    canvas->right = canvas->bottom = -1;
    canvas->open = false;
}

int df_canvas_init(struct df_canvas *canvas, int64_t width, int64_t height, uint8_t *labels)
{
    *canvas = (struct df_canvas){.width = width, .height = height, .labels = labels};
    canvas->marks = calloc((size_t)(width * height), 1);
    canvas->inside = calloc((size_t)width, 1);
    forget_marks(canvas);
    if (canvas->marks && canvas->inside)
        return 0;
    return df_error_memory("drawing a mask", (unsigned long long)(width * (height + 1)));
}

void df_canvas_free(struct df_canvas *canvas)
{
    free(canvas->marks);
    free(canvas->inside);
    *canvas = (struct df_canvas){0};
}

void df_canvas_span(struct df_canvas *canvas, int64_t y, int64_t x0, int64_t x1, uint8_t label)
{
    x0 = df_max_i64(x0, 0);
    x1 = df_min_i64(x1, canvas->width - 1);
    if (y >= 0 && y < canvas->height && x0 <= x1)
        memset(canvas->labels + y * canvas->width + x0, label, (size_t)(x1 - x0 + 1));
}

void df_canvas_mark(struct df_canvas *canvas, int64_t x, int64_t y)
{
    if (y == canvas->height) {
        canvas->open = true;
        return;
    }
    canvas->marks[y * canvas->width + x] ^= 0xff;
    canvas->left = df_min_i64(canvas->left, x);
    canvas->right = df_max_i64(canvas->right, x);
    canvas->top = df_min_i64(canvas->top, y);
    canvas->bottom = df_max_i64(canvas->bottom, y);
}

void df_canvas_fill_marked(struct df_canvas *canvas, uint8_t label)
{
    const int64_t left = canvas->left, count = canvas->right - left + 1;
    const int64_t end = canvas->open ? canvas->height : canvas->bottom + 1;
    uint8_t *restrict inside = canvas->inside;

    for (int64_t y = canvas->top; y < end; y++) {
        uint8_t *restrict marks = canvas->marks + y * canvas->width + left;
        uint8_t *restrict labels = canvas->labels + y * canvas->width + left;
        for (int64_t x = 0; x < count; x++) {
            inside[x] ^= marks[x];
            marks[x] = 0;
            labels[x] = (uint8_t)((labels[x] & ~inside[x]) | (label & inside[x]));
        }
    }
    if (count > 0)
        memset(inside, 0, (size_t)count);
    forget_marks(canvas);
}
