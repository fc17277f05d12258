#include "dinoft/run_page_observer.h"

#include "run_page.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdlib.h>

struct page {
    const struct df_run_files *files;
    const struct df_dataset *val_set; /* or NULL */
    char *defaults, *program;
    char *path;
    struct df_run_history *history;
    struct run_pictures pictures;
    char begun[DF_DATE_TEXT]; /* when this process has begun */
    bool resumed;
};

static int start(void *context, const struct df_run_start *run)
{
    struct page *page = context;
    char *prefix = df_run_file(page->files, "");

    page->path = prefix ? df_run_file(page->files, "_report.html") : NULL;
    page->history = page->path ? df_run_history_new(prefix) : NULL;
    free(prefix);
    if (!page->history)
        return -1;
    run_pictures_init(&page->pictures, page->val_set);
    df_date_text(page->begun);
    page->resumed = run->state != NULL;
    if (run->state) {
        DF_TRY(df_run_history_read_steps(page->history));
        DF_TRY(run_pictures_restore(&page->pictures, run->state));
        if (run->done < run->steps) /* an epoch that was cut, and had a validation, goes on */
            run_pictures_go_back(&page->pictures, run->done / run->epoch_steps);
    }
    page->history->steps.epoch_steps = run->epoch_steps;
    return 0;
}

static int step(void *context, const struct df_step_seen *seen)
{
    struct page *page = context;
    const struct df_step row = {
        seen->epoch, seen->step, {seen->loss, seen->lr, seen->images_per_second, seen->gradient_norm}};

    return df_steps_add(&page->history->steps, &row);
}

static int sample(void *context, const struct df_prediction *prediction)
{
    struct page *page = context;

    return sample_images_add(&page->pictures.seen, prediction);
}

/* seen: NULL where nothing is validated. */
static int write_page(struct page *page, const struct df_validation_seen *seen)
{
    const struct run_page run = {.history = page->history,
                                 .texts = {page->defaults, page->program},
                                 .metrics = seen ? seen->metrics : NULL,
                                 .pictures = seen ? &page->pictures : NULL,
                                 .begun = page->begun,
                                 .resumed = page->resumed,
                                 .validation_seconds = seen ? seen->seconds : NAN};

    if (!page->history->config)
        DF_TRY(df_run_history_read_config(page->history));
    DF_TRY(df_run_history_read_metrics(page->history));
    return run_page_write(page->path, &run);
}

static int validation(void *context, const struct df_validation_seen *seen)
{
    struct page *page = context;

    DF_TRY(run_pictures_end(&page->pictures, seen->epoch, seen->scores->miou, seen->best_epoch));
    return write_page(page, seen);
}

static int leave_epoch(void *context, const struct df_epoch_seen *epoch)
{
    return epoch->is_over && epoch->is_saved && !epoch->is_validated ? write_page(context, NULL) : 0;
}

/* No time: a run that goes on has the same state as one that was never stopped. */
static int store(void *context, struct df_state *state)
{
    struct page *page = context;

    return run_pictures_store(&page->pictures, state);
}

static void close_page(void *context)
{
    struct page *page = context;

    run_pictures_free(&page->pictures);
    df_run_history_free(page->history);
    free(page->path);
    free(page->defaults);
    free(page->program);
    free(page);
}

int df_run_page_open(struct df_training_observer *observer, const struct df_run_files *files,
                     const struct df_dataset *val_set, const struct df_run_page_texts *texts)
{
    struct page *page = calloc(1, sizeof *page);

    if (!page)
        return df_error_memory("the run's page", sizeof *page);
    page->files = files;
    page->val_set = val_set;
    page->defaults = df_text_copy(texts->defaults);
    page->program = df_text_copy(texts->program);
    if (!page->defaults || !page->program) {
        close_page(page);
        return -1;
    }
    *observer = (struct df_training_observer){
        .name = "the run's page",
        .context = page,
        .start = start,
        .leave_epoch = leave_epoch,
        .step = step,
        .sample = sample,
        .validation = validation,
        .store = store,
        .close = close_page,
    };
    return 0;
}
