/* dinoft corrupt: a checkpoint's scores under corruptions, cell by cell of a table that is kept as it fills.
 */
#include "commands.h"
#include "interrupt.h"
#include "measuring.h"

#include "dinoft/atomic_write.h"
#include "dinoft/available.h"
#include "dinoft/clock.h"
#include "dinoft/corrupt_key.h"
#include "dinoft/corruption_report.h"
#include "dinoft/corruption_results.h"
#include "dinoft/error.h"
#include "dinoft/evaluate.h"
#include "dinoft/image_store.h"
#include "dinoft/log.h"
#include "dinoft/run_lock.h"
#include "dinoft/setup.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ONE_OF_TEN "one of ten"

/* What one cell of the table does to images: `corruption`, or one that is drawn from the suite for each
 * image, or nothing. */
struct cell {
    const struct df_corruption *corruption;
    bool drawn;
    int severity;
};

struct run {
    struct df_config *config; /* with what the checkpoint says where nothing is typed */
    struct df_measure measure;
    const struct df_corruption_suite *suite;
    struct df_corruption_choice choice; /* empty: one is drawn for each image */
    struct df_frost *frost;
    struct df_image_store *store;
    struct df_corruption_results results;
    char key[DF_CORRUPT_KEY_LENGTH];
    char *stem;              /* of the files below */
    char *json, *csv, *html; /* paths */
    struct df_run_lock *lock;
    struct cell cell; /* the one that is measured now */
    int left;         /* cells behind it */
    /* corrupted cells of this run so far, and what they took */
    int measured;
    double seconds;
};

/* --- what is measured --- */

static bool draws(const struct df_config *config)
{
    return config->suite == DF_SUITE_REFERENCE && !config->corruptions;
}

static int choose_corruptions(struct run *run)
{
    const struct df_config *config = run->config;

    run->suite = df_corruption_suite(config->suite);
    return draws(config) ? 0
                         : df_corruption_list(config->corruptions ? config->corruptions : "all", run->suite,
                                              &run->choice);
}

/* Frost has a row also where it has no photographs: the summary says why, in the words of the error that
 * df_corruption_choice_frost() has left, the last one so far. */
static int add_row(struct run *run, const struct df_corruption *corruption)
{
    DF_TRY(
        df_corruption_results_add(&run->results, corruption->name, corruption->family, corruption->common));
    if (corruption->needs_frost && !run->frost)
        DF_TRY(df_corruption_results_skip(&run->results, df_error_text()));
    return 0;
}

static bool has_family(const struct df_corruption_results *results, const char *family)
{
    for (size_t i = 0; i < results->n_rows; i++) {
        if (strcmp(results->rows[i].family, family) == 0)
            return true;
    }
    return false;
}

/* Rows of the table. Those of a family follow each other, in whatever order people type the names. */
static int make_table(struct run *run)
{
    const struct df_config *config = run->config;
    const struct df_corruption_choice wanted = run->choice;

    DF_TRY(df_corruption_results_init(&run->results, run->suite->name, config->severity_list,
                                      config->n_severities));
    if (draws(config))
        return df_corruption_results_add(&run->results, ONE_OF_TEN, "all families", false);
    DF_TRY(df_corruption_choice_frost(&run->choice, config->frost_dir, DF_FROST_ADVICE, &run->frost));
    for (int i = 0; i < wanted.count; i++) {
        const char *family = wanted.items[i]->family;
        if (has_family(&run->results, family))
            continue;
        for (int k = i; k < wanted.count; k++) {
            if (strcmp(wanted.items[k]->family, family) == 0)
                DF_TRY(add_row(run, wanted.items[k]));
        }
    }
    return 0;
}

/* --- files --- */

static int name_files(struct run *run)
{
    const struct df_config *config = run->config;
    char *name = config->exp_name ? df_text_copy(config->exp_name) : df_path_stem(config->lora_weights);
    if (!name)
        return -1;
    run->stem = df_text_format("%s_corruptions", name);
    run->json = df_text_format("%s/%s_corruptions.json", config->output_dir, name);
    run->csv = df_text_format("%s/%s_corruptions.csv", config->output_dir, name);
    run->html = df_text_format("%s/%s_corruptions.html", config->output_dir, name);
    free(name);
    return run->stem && run->json && run->csv && run->html ? 0 : -1;
}

static int check_files(const struct run *run)
{
    const char *const paths[] = {run->json, run->csv, run->html};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        DF_TRY(df_check_writable_file(paths[i]));
        DF_TRY(df_setup_check_output(&run->measure.setup, run->config, paths[i]));
    }
    return 0;
}

static int take_over(struct run *run)
{
    int taken = 0;

    if (run->config->restart)
        return 0;
    if (df_corruption_results_read(run->json, run->key, &run->results, &taken) != 0)
        return df_error_context(
            "cannot continue an earlier run (--restart begins anew, --exp_name names other files)");
    if (taken > 0)
        df_log("%d cell%s of %s kept, --restart would measure all anew", taken, taken == 1 ? "" : "s",
               run->json);
    return 0;
}

static void collect_facts(const struct run *run, struct df_measure_facts *facts)
{
    const struct df_config *config = run->config;

    df_measure_facts(&run->measure, facts);
    df_measure_add_fact(facts, "suite", "%s", run->suite->name);
    df_measure_add_fact(facts, "seed", "%" PRId64, config->seed);
}

/* Called after every cell. */
static int save(const struct run *run)
{
    struct df_measure_facts facts;

    collect_facts(run, &facts);
    return df_corruption_results_write(run->json, &run->results, run->key, facts.items, facts.count);
}

static int write_reports(const struct run *run)
{
    const struct df_config *config = run->config;
    struct df_measure_facts facts;
    char title[256];

    collect_facts(run, &facts);
    snprintf(title, sizeof title, "%s on corrupted %s", config->lora_weights,
             df_dataset_kind_name(config->dataset));
    const struct df_corruption_report report = {
        .title = title, .facts = facts.items, .n_facts = facts.count, .results = &run->results};
    DF_TRY(df_corruption_results_write_csv(run->csv, &run->results));
    return df_corruption_report_write(run->html, &report);
}

/* --- measuring --- */

/* A df_sample_reader: the cell's corruption of a sample that is decoded once. */
static int read_corrupted(void *context, const struct df_dataset *dataset, int64_t sample,
                          struct df_image *image, struct df_image *mask)
{
    const struct run *run = context;
    const uint64_t seed = (uint64_t)run->config->seed;
    const char *name = dataset->samples[sample].name;
    const struct df_corruption *corruption = run->cell.corruption;

    DF_TRY(df_image_store_read(run->store, sample, image, mask));
    if (run->cell.drawn)
        corruption = df_corruption_draw(run->suite, run->cell.severity, seed, name);
    if (!corruption && !run->cell.drawn)
        return 0;
    if (corruption && df_corrupt(corruption, run->cell.severity, seed, name, run->frost, image, mask) == 0)
        return 0;
    df_image_free(image);
    df_image_free(mask);
    return df_error_context("%s", dataset->samples[sample].image_path);
}

/* The time left on the bar is that of the whole table. Corruptions differ in time, so it takes the mean of
 * those so far; until there is one, the cell's own speed. */
static void expect_rest(const struct run *run, int64_t batches, struct df_evaluation *evaluation)
{
    if (run->measured > 0)
        evaluation->later_seconds = run->left * run->seconds / run->measured;
    else
        evaluation->later_steps = run->left * batches;
}

/* 1: interrupted, and nothing is known of the cell. */
static int measure_cell(struct run *run, const char *label, struct df_corruption_cell *result)
{
    struct df_measure *measure = &run->measure;
    struct df_loader *loader = df_measure_loader(measure, false, read_corrupted, run);
    struct df_feed *feed = loader ? df_feed_images(loader) : NULL;
    const double begin = df_seconds();
    struct df_evaluation evaluation = {.original = measure->options.original,
                                       .inference = measure->inference,
                                       .label = label,
                                       .stop = interrupt_flag()};
    struct df_metrics metrics = {0};
    struct df_scores scores;
    int status = -1;

    if (!feed)
        goto done;
    expect_rest(run, df_feed_batches(feed), &evaluation);
    if (df_metrics_init(&metrics, measure->dataset->n_classes,
                        measure->dataset->reference_void_is_background) != 0 ||
        df_evaluate(measure->segmenter, feed, &evaluation, &metrics) != 0)
        goto done;
    status = *evaluation.stop ? 1 : 0;
    if (status == 0 && df_measure_check_labels(measure) != 0) {
        status = -1;
        goto done;
    }
    if (status == 0) {
        df_metrics_scores(&metrics, &scores);
        *result = (struct df_corruption_cell){true, scores.miou, scores.reference_iou, scores.reference_miou,
                                              scores.pixel_accuracy};
        status = save(run);
        if (run->cell.severity > 0) {
            run->measured++;
            run->seconds += df_seconds() - begin;
        }
    }
done:
    df_metrics_free(&metrics);
    df_feed_free(feed);
    df_loader_close(loader);
    return status;
}

/* The chosen corruption of that name; NULL for the row of those that are drawn. */
static const struct df_corruption *find_corruption(const struct run *run, const char *name)
{
    for (int i = 0; i < run->choice.count; i++) {
        if (strcmp(run->choice.items[i]->name, name) == 0)
            return run->choice.items[i];
    }
    return NULL;
}

static int count_cells(const struct run *run)
{
    int count = run->results.clean.done ? 0 : 1;

    for (size_t r = 0; r < run->results.n_rows; r++) {
        const struct df_corruption_row *row = &run->results.rows[r];
        for (int s = 0; s < run->results.n_severities && !row->skipped; s++)
            count += !row->cells[run->results.severities[s] - 1].done;
    }
    return count;
}

static int measure_row(struct run *run, struct df_corruption_row *row, int *number, int all)
{
    const struct df_corruption *corruption = find_corruption(run, row->name);
    int status = 0;

    for (int s = 0; s < run->results.n_severities && status == 0; s++) {
        const int severity = run->results.severities[s];
        char label[128];
        if (row->cells[severity - 1].done)
            continue;
        snprintf(label, sizeof label, "%d/%d %s %d", ++*number, all, row->name, severity);
        run->left = all - *number;
        run->cell = (struct cell){corruption, corruption == NULL, severity};
        status = measure_cell(run, label, &row->cells[severity - 1]);
    }
    return status;
}

static int measure_all(struct run *run)
{
    const int all = count_cells(run);
    int number = 0, status = 0;
    char label[32];

    if (!run->results.clean.done) {
        snprintf(label, sizeof label, "%d/%d clean", ++number, all);
        run->left = all - number;
        run->cell = (struct cell){0};
        status = measure_cell(run, label, &run->results.clean);
    }
    for (size_t r = 0; r < run->results.n_rows && status == 0; r++) {
        if (!run->results.rows[r].skipped)
            status = measure_row(run, &run->results.rows[r], &number, all);
    }
    return status;
}

static int prepare(struct run *run)
{
    const struct df_config *config = run->config;

    DF_TRY(measuring_open(&run->measure, run->config));
    DF_TRY(name_files(run));
    DF_TRY(check_files(run));
    run->lock = df_run_lock_open(config->output_dir, run->stem, DF_OTHER_RUN_ADVICE);
    if (!run->lock)
        return -1;
    DF_TRY(make_table(run));
    DF_TRY(df_corrupt_key(&run->measure, run->suite->name, (uint64_t)config->seed, run->key));
    DF_TRY(take_over(run));
    DF_TRY(df_measure_start(&run->measure));
    run->store = df_image_store_open(run->measure.dataset, df_available_memory() / 2, config->output_dir);
    return run->store ? 0 : -1;
}

static void release(struct run *run)
{
    df_image_store_close(run->store);
    df_corruption_results_free(&run->results);
    df_frost_free(run->frost);
    df_measure_close(&run->measure);
    df_run_lock_close(run->lock);
    free(run->stem);
    free(run->json);
    free(run->csv);
    free(run->html);
}

int command_corrupt(struct df_config *config)
{
    struct run run = {.config = config};
    int status = 1;

    if (choose_corruptions(&run) != 0) {
        df_error_context("--corruptions");
        return df_error_is_memory() ? 1 : 2;
    }
    if (prepare(&run) == 0) {
        const int end = measure_all(&run);
        if (end >= 0 && write_reports(&run) == 0) {
            df_corruption_results_print(stdout, &run.results, df_recipe_is_reference(config->recipe));
            status = end == 0 ? 0 : EXIT_INTERRUPTED;
        }
        if (status == EXIT_INTERRUPTED)
            df_log("stopped: the same command goes on where this one ended");
        else if (status == 0)
            df_log("%s, and .csv and .html beside it", run.json);
    }
    release(&run);
    return status;
}
