#include "svg.h"

#include "canvas.h"

#include "../html.h"

#include <math.h>

#define WIDER 1.2 /* a browser's font may be wider than the widths that are reckoned with: DejaVu Sans */

struct svg_axis svg_axis_for(double largest, int most_steps)
{
    static const double steps[] = {1.0, 2.0, 5.0, 10.0};
    struct svg_axis axis;

    if (!(largest > 0.0))
        largest = 1.0;
    const double power = pow(10.0, floor(log10(largest / most_steps)));
    int choice = 0;
    while (choice < 3 && steps[choice] * power * most_steps < largest * (1.0 - 1e-9))
        choice++;
    axis.step = steps[choice] * power;
    axis.most = axis.step * ceil(largest / axis.step - 1e-9);
    axis.decimals = (int)fmax(0.0, -floor(log10(axis.step) + 1e-9));
    return axis;
}

int svg_axis_steps(const struct svg_axis *axis)
{
    return (int)lrint(axis->most / axis->step);
}

void svg_begin(FILE *page, double width, double height, const char *label)
{
    fprintf(
        page,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" "
        "role=\"img\" aria-label=\"",
        width, height, width, height);
    df_html_text(page, label);
    fputs("\">\n", page);
}

void svg_end(FILE *page)
{
    fputs("</svg>\n", page);
}

void svg_line(FILE *page, double x1, double y1, double x2, double y2, const char *color)
{
    fprintf(page, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2,
            color);
}

void svg_dashed_line(FILE *page, double x1, double y1, double x2, double y2, const char *color)
{
    fprintf(page,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"1.4\" "
            "stroke-dasharray=\"5 3\"/>\n",
            x1, y1, x2, y2, color);
}

void svg_rectangle(FILE *page, double x, double y, double width, double height, const char *color)
{
    fprintf(page, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y, width,
            height, color);
}

static void open_text(FILE *page, double x, double y, enum svg_anchor anchor, int size, const char *color)
{
    static const char *const anchors[] = {[SVG_START] = "start", [SVG_MIDDLE] = "middle", [SVG_END] = "end"};
    fprintf(page, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\" style=\"fill:%s\">", x, y,
            anchors[anchor], size, color);
}

void svg_text(FILE *page, double x, double y, enum svg_anchor anchor, int size, const char *color,
              const char *text)
{
    open_text(page, x, y, anchor, size, color);
    df_html_text(page, text);
    fputs("</text>\n", page);
}

void svg_number(FILE *page, double x, double y, enum svg_anchor anchor, int size, const char *color,
                double value, int decimals)
{
    open_text(page, x, y, anchor, size, color);
    if (isnan(value))
        fputs("\xe2\x80\x93", page);
    else
        fprintf(page, "%.*f", decimals, value);
    fputs("</text>\n", page);
}

static double text_width(const char *text)
{
    return WIDER * df_canvas_text_width(text, SVG_NAME_SIZE);
}

double svg_name_width(const char *text, double most)
{
    return fmin(text_width(text), most);
}

void svg_name(FILE *page, double x, double y, enum svg_anchor anchor, double width, const char *text)
{
    char shown[256];

    if (text_width(text) <= width) {
        svg_text(page, x, y, anchor, SVG_NAME_SIZE, SVG_INK, text);
        return;
    }
    df_canvas_cut_text(text, SVG_NAME_SIZE, width / WIDER, "\xe2\x80\xa6", shown, sizeof shown);
    open_text(page, x, y, anchor, SVG_NAME_SIZE, SVG_INK);
    fputs("<title>", page);
    df_html_text(page, text);
    fputs("</title>", page);
    df_html_text(page, shown);
    fputs("</text>\n", page);
}
