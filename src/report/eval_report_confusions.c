#include "eval_report_parts.h"

#include "dinoft/confusions.h"

void eval_report_confusions(FILE *page, const struct df_eval_report *report)
{
    static const struct df_html_column columns[] = {
        {"label", false}, {"taken for", false}, {"share of the label's pixels, %", true}, {"pixels", true}};
    struct df_confusion ranked[DF_CONFUSIONS_MOST];
    const int count = df_confusions_rank(report->metrics, DF_CONFUSIONS_MOST, ranked);

    if (count == 0)
        return;
    df_html_heading(page, "Most frequent confusions");
    df_html_table_begin(page, NULL, columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < count; i++) {
        df_html_row_begin(page, report->names[ranked[i].label]);
        df_html_cell(page, report->names[ranked[i].prediction]);
        df_html_number(page, 100.0 * ranked[i].share, 2);
        df_html_count(page, ranked[i].pixels);
        df_html_row_end(page);
    }
    df_html_table_end(page);
}
