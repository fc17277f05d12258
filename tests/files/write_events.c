/* Writes event files as a run does, for a test that reads them with TensorBoard: write_events FOLDER FIRST
 * LAST PNG WIDTH HEIGHT. A run whose first step is not 1 goes on with an earlier one. */
#include "dinoft/error.h"
#include "dinoft/event_file.h"
#include "dinoft/file_bytes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int write_step(struct df_event_file *file, int64_t step)
{
    const struct df_event_scalar scalars[] = {
        {"train/loss", 1.0 / (double)step},
        {"train/learning rate", 1e-4},
        {"train/odd", step == 2   ? NAN
                      : step == 3 ? INFINITY
                                  : (double)-step},
    };

    return df_event_file_scalars(file, step, scalars, sizeof scalars / sizeof *scalars);
}

static int write_run(struct df_event_file *file, int64_t first, int64_t last, struct df_event_image *image)
{
    if (first == 1)
        DF_TRY(
            df_event_file_text(file, 0, "configuration", "| option | value |\n|---|---|\n| lr | 1e-4 |\n"));
    for (int64_t step = first; step <= last; step++)
        DF_TRY(write_step(file, step));
    DF_TRY(df_event_file_image(file, last, image));
    return df_event_file_sync(file);
}

static int run(char *arguments[])
{
    const int64_t first = strtoll(arguments[2], NULL, 10), last = strtoll(arguments[3], NULL, 10);
    struct df_event_image image = {.tag = "overlays/a",
                                   .description = "an *overlay*",
                                   .width = atoi(arguments[5]),
                                   .height = atoi(arguments[6])};
    struct df_file_bytes png;

    DF_TRY(df_file_bytes_read(arguments[4], &png));
    image.png = png.bytes;
    image.bytes = png.size;
    const struct df_event_place place = {first - 1, INT64_MAX};
    struct df_event_file *file =
        first == 1 ? df_event_file_open(arguments[1]) : df_event_file_continue(arguments[1], &place, NULL);
    int status = file ? write_run(file, first, last, &image) : -1;
    if (df_event_file_close(file) != 0)
        status = -1;
    df_file_bytes_free(&png);
    return status;
}

int main(int count, char *arguments[])
{
    if (count == 7 && run(arguments) == 0)
        return 0;
    fprintf(stderr, "%s\n",
            count == 7 ? df_error_text() : "usage: write_events FOLDER FIRST LAST PNG WIDTH HEIGHT");
    return 1;
}
