/* Pictures within a page, as RFC 2397's data addresses in RFC 4648's base64. */
#include "html.h"

#include "plot/color_scale.h"

#include "dinoft/labels.h"

#include <inttypes.h>

static void write_base64(FILE *page, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        const size_t there = size - i < 3 ? size - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (there > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (there > 2)
            group |= bytes[i + 2];
        putc(digits[group >> 18], page);
        putc(digits[group >> 12 & 63], page);
        putc(there > 1 ? digits[group >> 6 & 63] : '=', page);
        putc(there > 2 ? digits[group & 63] : '=', page);
    }
}

void df_html_picture(FILE *page, const char *type, const void *bytes, size_t size, int64_t width,
                     int64_t height, const char *alternative)
{
    fprintf(page, "<img width=\"%" PRId64 "\" height=\"%" PRId64 "\" alt=\"", width, height);
    df_html_text(page, alternative);
    fprintf(page, "\" src=\"data:%s;base64,", type);
    write_base64(page, bytes, size);
    fputs("\">\n", page);
}

void df_html_figure(FILE *page, const char *type, const void *bytes, size_t size, int64_t width,
                    int64_t height, const char *caption)
{
    fputs("<figure>\n", page);
    df_html_picture(page, type, bytes, size, width, height, caption);
    fputs("<figcaption>", page);
    df_html_text(page, caption);
    fputs("</figcaption>\n</figure>\n", page);
}

void df_html_legend(FILE *page, const struct df_legend *legend)
{
    fputs("<ul class=\"key\">\n", page);
    for (int number = 0; number < legend->n_classes; number++) {
        const uint8_t *rgb = legend->palette->rgb[number];
        if (!legend->shown[number])
            continue;
        fprintf(page, "<li><span style=\"background:#%02x%02x%02x;color:#%s\">%d</span>", rgb[0], rgb[1],
                rgb[2], df_color_wants_white(rgb) ? "fff" : "000", number);
        df_html_text(page, legend->names[number]);
        fputs("</li>\n", page);
    }
    if (legend->shown[DF_IGNORE_LABEL])
        fputs("<li><span class=\"void\"></span>not counted</li>\n", page);
    fputs("</ul>\n", page);
}
