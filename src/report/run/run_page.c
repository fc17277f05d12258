#include "run_page.h"

#include "run_parts.h"

#include "dinoft/best_score.h"
#include "dinoft/clock.h"
#include "dinoft/confusion_picture.h"
#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

static void write_fact(FILE *page, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Texts of files go in as they are: cut where they are long. */
static void write_fact(FILE *page, const char *name, const char *format, ...)
{
    char value[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    df_html_fact(page, name, value);
}

static void write_validation(FILE *page, const char *name, const struct df_run_history *history,
                             int64_t index)
{
    const struct df_run_validation *validation = &history->validations[index];
    char miou[DF_BEST_SCORE_TEXT], loss[DF_BEST_SCORE_TEXT], accuracy[DF_BEST_SCORE_TEXT];

    write_fact(page, name, "epoch %" PRId64 ": mIoU %s, validation loss %s, pixel accuracy %s",
               validation->epoch, df_best_score_text(DF_BEST_MIOU, validation->miou, miou),
               df_best_score_text(DF_BEST_LOSS, validation->loss, loss),
               df_best_score_text(DF_BEST_PIXEL_ACCURACY, validation->pixel_accuracy, accuracy));
}

static void write_place(FILE *page, const struct df_run_history *history)
{
    const double epochs = run_setting_number(history, "epochs");
    const struct df_steps *steps = &history->steps;

    if (epochs >= 1.0)
        write_fact(page, "epochs", "%" PRId64 " of %.0f", history->n_epochs, epochs);
    else
        write_fact(page, "epochs", "%" PRId64, history->n_epochs);
    if (steps->count > 0)
        write_fact(page, "steps", "%" PRId64, steps->last_step);
}

static void write_times(FILE *page, const struct run_page *run)
{
    char training[RUN_TIME_TEXT], validation[RUN_TIME_TEXT];

    if (run->begun)
        write_fact(page, run->resumed ? "resumed" : "begun", "%s", run->begun);
    if (run_training_time(run->history, training))
        write_fact(page, "training took", "%s", training);
    if (!isnan(run->validation_seconds)) {
        run_time_text(run->validation_seconds, validation);
        write_fact(page, "a validation takes", "%s", validation);
    }
}

static int write_known_fact(FILE *page, const struct df_run_history *history, const char *name)
{
    char *text = run_fact_text(history, name);

    if (!text)
        return -1;
    write_fact(page, name, "%s", text);
    free(text);
    return 0;
}

static int write_summary(FILE *page, const struct run_page *run)
{
    static const char *const facts[] = {"backbone", "device", "precision", "revision"};
    const struct df_run_history *history = run->history;
    const int64_t best = df_run_best(history, history->best_metric);
    char name[64], date[DF_DATE_TEXT];

    fputs("<dl>\n", page);
    write_place(page, history);
    if (best >= 0) {
        snprintf(name, sizeof name, "best by %s", df_best_metric_title(history->best_metric));
        write_validation(page, name, history, best);
    }
    if (history->n_validations > 0)
        write_validation(page, "last", history, history->n_validations - 1);
    write_times(page, run);
    for (size_t i = 0; history->config && i < sizeof facts / sizeof *facts; i++)
        DF_TRY(write_known_fact(page, history, facts[i]));
    write_fact(page, "made", "%s, %s", df_date_text(date), run->texts.program);
    fputs("</dl>\n", page);
    return 0;
}

static int write_confusion(FILE *page, const struct run_page *run)
{
    struct df_image picture;
    size_t size;

    DF_TRY(df_confusion_draw(run->metrics, run->history->class_names, &picture));
    void *png = df_png_encode(&picture, &size);
    if (png) {
        df_html_heading(page, "Confusion matrix of the last validation");
        fputs("<figure>\n", page);
        df_html_picture(page, "image/png", png, size, picture.width, picture.height, "confusion matrix");
        fputs("</figure>\n", page);
    }
    free(png);
    df_image_free(&picture);
    return png ? 0 : -1;
}

static int write_sections(FILE *page, const void *content)
{
    const struct run_page *run = content;
    const struct df_run_history *history = run->history;
    const struct run_shown shown = {history, history->name};
    const int64_t best = df_run_best(history, history->best_metric);

    DF_TRY(write_summary(page, run));
    run_notes_write(page, history);
    DF_TRY(run_curves_write(page, &shown, 1));
    if (run->pictures)
        DF_TRY(run_pictures_write(page, run->pictures, best >= 0 ? history->validations[best].epoch : 0));
    DF_TRY(run_classes_write(page, history));
    if (run->metrics && run->metrics->n_classes == history->n_classes)
        DF_TRY(write_confusion(page, run));
    return run_settings_table(page, history, run->texts.defaults);
}

int run_page_write(const char *path, const struct run_page *run)
{
    char *title = df_text_format("Training run %s", run->history->name);
    const int status = title ? df_html_write(path, title, write_sections, run) : -1;

    free(title);
    return status;
}
