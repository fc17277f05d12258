/* How long runs took, what is not known of them, and when their page was made. */
#include "run_parts.h"

#include "dinoft/clock.h"

#include <math.h>

void run_made_write(FILE *page, const char *program)
{
    char date[DF_DATE_TEXT];

    fprintf(page, "<p class=\"note\">Made %s, ", df_date_text(date));
    df_html_text(page, program);
    fputs(".</p>\n", page);
}

void run_time_text(double seconds, char text[RUN_TIME_TEXT])
{
    const double minutes = floor(seconds / 60.0);

    if (seconds < 99.5)
        snprintf(text, RUN_TIME_TEXT, "%.*f s", seconds < 9.95 ? 1 : 0, seconds);
    else if (minutes < 60.0)
        snprintf(text, RUN_TIME_TEXT, "%.0f min", seconds / 60.0);
    else
        snprintf(text, RUN_TIME_TEXT, "%.0f h %.0f min", floor(minutes / 60.0), fmod(minutes, 60.0));
}

/* An epoch's last batch has fewer images than the others, or as many. */
double run_training_seconds(const struct df_run_history *history)
{
    const struct df_steps *steps = &history->steps;
    const double batch = run_setting_number(history, "batch_size");
    const double images = run_fact_number(history, "training_images");
    const double rest = fmod(images, batch), missing = rest > 0.0 ? batch - rest : 0.0;
    const bool ends = steps->epoch_steps > 0 ? steps->last_step % steps->epoch_steps == 0
                                             : (double)steps->last_step == ceil(images / batch);

    const double seconds = batch * steps->image_seconds -
                           missing * (steps->end_image_seconds + (ends ? steps->last_image_seconds : 0.0));

    return seconds > 0.0 && isfinite(seconds) ? seconds : NAN;
}

bool run_training_time(const struct df_run_history *history, char text[RUN_TIME_TEXT])
{
    const double seconds = run_training_seconds(history);

    if (isnan(seconds))
        return false;
    run_time_text(seconds, text);
    return true;
}

void run_notes_write(FILE *page, const struct df_run_history *history)
{
    for (int i = 0; i < history->n_notes; i++) {
        fputs("<p class=\"note\">", page);
        df_html_text(page, history->notes[i]);
        fputs("</p>\n", page);
    }
}
