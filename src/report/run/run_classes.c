#include "run_parts.h"

#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void write_difference(FILE *page, double value)
{
    if (isnan(value))
        df_html_number(page, value, 2);
    else
        fprintf(page, "<td class=\"n\">%+.2f</td>", value);
}

static void write_rows(FILE *page, const struct df_run_history *history, const struct df_run_validation *best,
                       const struct df_run_validation *last)
{
    for (int i = 0; i < history->n_classes; i++) {
        df_html_row_begin(page, history->class_names[i]);
        df_html_number(page, 100.0 * best->class_iou[i], 2);
        if (last != best) {
            df_html_number(page, 100.0 * last->class_iou[i], 2);
            write_difference(page, 100.0 * (last->class_iou[i] - best->class_iou[i]));
        }
        df_html_row_end(page);
    }
}

int run_classes_write(FILE *page, const struct df_run_history *history)
{
    const int64_t index = df_run_best(history, history->best_metric);

    if (history->n_validations == 0 || history->n_classes == 0 || !history->validations[0].class_iou)
        return 0;
    const struct df_run_validation *last = &history->validations[history->n_validations - 1];
    const struct df_run_validation *best = index >= 0 ? &history->validations[index] : last;
    char *best_name = df_text_format("%s, epoch %" PRId64 ": IoU, %%",
                                     best == last ? "best and last" : "best", best->epoch);
    char *last_name = df_text_format("last, epoch %" PRId64 ": IoU, %%", last->epoch);
    const struct df_html_column columns[] = {
        {"class", false}, {best_name, true}, {last_name, true}, {"difference, points", true}};
    if (best_name && last_name) {
        df_html_heading(page, "Classes");
        df_html_table_begin(page, "A dash: the class is in no label and no prediction of the validation.",
                            columns, last == best ? 2 : 4);
        write_rows(page, history, best, last);
        df_html_table_end(page);
    }
    free(last_name);
    const int status = best_name && last_name ? 0 : -1;
    free(best_name);
    return status;
}
