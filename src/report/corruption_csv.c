#include "csv.h"

#include "dinoft/corruption_report.h"
#include "dinoft/atomic_write.h"

static void write_cell(FILE *stream, const struct df_corruption_cell *cell)
{
    if (!cell->done) {
        fputs(",,,,\n", stream);
        return;
    }
    putc(',', stream);
    df_csv_number(stream, cell->miou);
    putc(',', stream);
    df_csv_number(stream, cell->reference_iou);
    putc(',', stream);
    df_csv_number(stream, cell->reference_miou);
    putc(',', stream);
    df_csv_number(stream, cell->pixel_accuracy);
    putc('\n', stream);
}

int df_corruption_results_write_csv(const char *path, const struct df_corruption_results *results)
{
    struct df_atomic_file *file = df_atomic_open(path);
    if (!file)
        return -1;
    FILE *stream = df_atomic_stream(file);
    fputs("corruption,family,common,severity,miou,reference_iou,reference_miou,pixel_accuracy\nclean,,,0",
          stream);
    write_cell(stream, &results->clean);
    for (size_t i = 0; i < results->n_rows; i++) {
        const struct df_corruption_row *row = &results->rows[i];
        for (int s = 0; s < results->n_severities; s++) {
            df_csv_text(stream, row->name);
            putc(',', stream);
            df_csv_text(stream, row->family);
            fprintf(stream, ",%d,%d", row->common, results->severities[s]);
            write_cell(stream, &row->cells[results->severities[s] - 1]);
        }
    }
    return df_atomic_commit(file);
}
