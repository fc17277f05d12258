/* Lines that are told apart by colour, by the shape of their marks and by dashes, each of them enough. The
 * colours are those that Okabe and Ito chose for all kinds of colour vision, without the yellow, which
 * vanishes on paper. */
#include "svg.h"

#define COLORS 6
#define SHAPES 6
#define DASHES 6

const char *svg_series_color(size_t index)
{
    static const char *const colors[COLORS] = {"#0072b2", "#d55e00", "#009e73",
                                               "#1b1e22", "#cc79a7", "#e69f00"};
    return colors[index % COLORS];
}

const char *svg_series_dash(size_t index)
{
    static const char *const dashes[DASHES] = {"none", "7 3", "2 2.2", "9 3 2 3", "14 4", "5 2 1.5 2 1.5 2"};
    return dashes[(index + index / COLORS) % DASHES]; /* with other colours and marks each time around */
}

void svg_marker(FILE *page, double x, double y, size_t index)
{
    const char *color = svg_series_color(index);

    switch (index % SHAPES) {
    case 0: /* disc */
        fprintf(page, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.6\" fill=\"%s\"/>\n", x, y, color);
        break;
    case 1: /* hollow square */
        fprintf(page,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"6.4\" height=\"6.4\" fill=\"#fff\" stroke=\"%s\" "
                "stroke-width=\"1.6\"/>\n",
                x - 3.2, y - 3.2, color);
        break;
    case 2: /* triangle */
        fprintf(page, "<path d=\"M%.1f %.1fl4.4 7.6h-8.8z\" fill=\"%s\"/>\n", x, y - 5.0, color);
        break;
    case 3: /* cross */
        fprintf(page,
                "<path d=\"M%.1f %.1fl7 7m0 -7l-7 7\" stroke=\"%s\" stroke-width=\"1.8\" fill=\"none\"/>\n",
                x - 3.5, y - 3.5, color);
        break;
    case 4: /* hollow diamond */
        fprintf(page,
                "<path d=\"M%.1f %.1fl4.4 4.4l-4.4 4.4l-4.4 -4.4z\" fill=\"#fff\" stroke=\"%s\" "
                "stroke-width=\"1.6\"/>\n",
                x, y - 4.4, color);
        break;
    default: /* triangle on its tip */
        fprintf(page, "<path d=\"M%.1f %.1fl4.4 -7.6h-8.8z\" fill=\"%s\"/>\n", x, y + 5.0, color);
        break;
    }
}
