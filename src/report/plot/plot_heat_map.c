#include "plot.h"
#include "color_scale.h"

#include "../html.h"

#include <math.h>
#include <string.h>

static void write_value(FILE *page, const struct df_heat_map *map, double value, bool first_apart)
{
    uint8_t rgb[3];

    df_color_scale((value - map->least) / (map->most - map->least), rgb);
    fprintf(page, "<td%s style=\"background:#%02x%02x%02x;color:%s\">", first_apart ? " class=\"apart\"" : "",
            rgb[0], rgb[1], rgb[2], df_color_wants_white(rgb) ? "#fff" : "#111");
    if (isnan(value))
        fputs("\xe2\x80\x93</td>", page);
    else
        fprintf(page, "%.*f</td>", map->decimals, value);
}

static void write_row(FILE *page, const struct df_heat_map *map, const struct df_heat_row *row)
{
    df_html_row_begin(page, row->name);
    if (row->instead) {
        fprintf(page, "<td colspan=\"%zu\" class=\"note\">", map->n_columns);
        df_html_text(page, row->instead);
        fputs("</td>", page);
    } else {
        for (size_t i = 0; i < map->n_columns; i++)
            write_value(page, map, row->values[i], map->n_apart > 0 && i == map->n_columns - map->n_apart);
    }
    df_html_row_end(page);
}

static bool begins_group(const struct df_heat_map *map, size_t row)
{
    const char *group = map->rows[row].group;
    const char *before = row > 0 ? map->rows[row - 1].group : NULL;
    return group && !(before && strcmp(group, before) == 0);
}

void df_plot_heat_map(FILE *page, const struct df_heat_map *map)
{
    fputs("<table class=\"heat\">\n<thead><tr><th scope=\"col\">", page);
    df_html_text(page, map->corner);
    fputs("</th>", page);
    for (size_t i = 0; i < map->n_columns; i++) {
        fputs("<th scope=\"col\">", page);
        df_html_text(page, map->columns[i]);
        fputs("</th>", page);
    }
    fputs("</tr></thead>\n<tbody>\n", page);
    for (size_t i = 0; i < map->n_rows; i++) {
        if (begins_group(map, i))
            df_html_group(page, map->rows[i].group, 1 + map->n_columns);
        write_row(page, map, &map->rows[i]);
    }
    fputs("</tbody>\n</table>\n", page);
}
