/* What a run has written, read back: thinned where it is long, and never trusted. */
#include "support/errors.h"
#include "support/scratch.h"

#include "src/report/run/run_history.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "epoch,step,loss,lr,images_per_second,gradient_norm\n"

static struct df_steps steps; /* too large for a stack */

static int read_steps(const char *text)
{
    return df_steps_read(scratch_write_text("a_steps.csv", text), &steps);
}

static void steps_come_back(void **state)
{
    assert_int_equal(read_steps(HEADER "1,1,2.5,0.001,4,0.5\n1,2,nan,0.002,2,0.25\n2,3,1e-3,3e-4,4,inf\n"),
                     0);
    assert_int_equal(steps.count, 3);
    assert_int_equal(steps.width, 1);
    assert_int_equal(steps.epoch_steps, 2);
    assert_int_equal(steps.last_epoch, 2);
    assert_int_equal(steps.last_step, 3);
    assert_true(df_steps_mean(&steps.bins[0], DF_STEP_LOSS) == 2.5);
    assert_true(isnan(df_steps_mean(&steps.bins[1], DF_STEP_LOSS)));
    assert_true(df_steps_mean(&steps.bins[1], DF_STEP_LR) == 0.002);
    assert_true(isnan(df_steps_mean(&steps.bins[2], DF_STEP_GRADIENT)));
    assert_true(steps.image_seconds == 1.0);
    assert_false(steps.is_cut);
    assert_false(steps.from_zero);
}

/* Every step counts once, in bins that follow each other. */
static void many_steps_are_thinned(void **state)
{
    const int64_t count = 100003;

    memset(&steps, 0, sizeof steps);
    for (int64_t i = 1; i <= count; i++)
        assert_int_equal(
            df_steps_add(&steps, &(struct df_step){.epoch = 1, .step = i, .values = {(double)i}}), 0);
    assert_true(steps.count > DF_STEP_BINS / 2 && steps.count <= DF_STEP_BINS);
    int64_t next = 1;
    double sum = 0.0;
    for (size_t i = 0; i < steps.count; i++) {
        const struct df_step_bin *bin = &steps.bins[i];
        assert_int_equal(bin->first, next);
        assert_int_equal(bin->counts[DF_STEP_LOSS], bin->last - bin->first + 1);
        assert_true(i + 1 == steps.count || bin->last - bin->first + 1 == steps.width);
        assert_true(df_steps_mean(bin, DF_STEP_LOSS) == 0.5 * (double)(bin->first + bin->last));
        sum += bin->sums[DF_STEP_LOSS];
        next = bin->last + 1;
    }
    assert_int_equal(next, count + 1);
    assert_true(sum == 0.5 * (double)count * (double)(count + 1));
}

static void a_cut_line_is_left_out(void **state)
{
    assert_int_equal(read_steps(HEADER "1,1,2.5,1,4,1\n1,2,2.25,1,4,"), 0);
    assert_int_equal(steps.last_step, 1);
    assert_true(steps.is_cut);
    assert_int_equal(read_steps("epoch,st"), 0);
    assert_int_equal(steps.count, 0);
    /* As a power cut leaves it. */
    const char zeros[] = HEADER "1,1,2.5,1,4,1\n\0\0\0\0";
    assert_int_equal(df_steps_read(scratch_write("a_steps.csv", zeros, sizeof zeros - 1), &steps), 0);
    assert_int_equal(steps.last_step, 1);
    assert_true(steps.is_cut);
}

static void columns_go_by_their_names(void **state)
{
    assert_int_equal(read_steps("step,loss,colour,epoch\r\n1,2.5,red,0\r\n2,2.5,blue,1\r\n"), 0);
    assert_true(steps.from_zero);
    assert_int_equal(steps.last_epoch, 2);
    assert_true(isnan(df_steps_mean(&steps.bins[0], DF_STEP_LR)));
}

static void damage_is_an_error_that_names_the_line(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"a,b\n", "line 1: it has no columns epoch, step and loss"},
        {"epoch,step,loss,loss\n", "line 1: it has two columns of one name"},
        {HEADER "1,1,2,3,4\n", "line 2: it has fewer cells"},
        {HEADER "1,1,2,3,4,5\n1,2,2,3,4,5,6\n", "line 3: it has more cells"},
        {HEADER "1,1,two,3,4,5\n", "line 2: \"two\" is no number"},
        {HEADER "1,1.5,2,3,4,5\n", "line 2: \"1.5\" is no number"},
        {HEADER "1,99999999999999999999,2,3,4,5\n", "line 2: \"99999999999999999999\" is no number"},
        {HEADER "1,2,2,3,4,5\n1,2,2,3,4,5\n", "line 3: step 2 of epoch 1 comes behind step 2 of epoch 1"},
        {HEADER "2,2,2,3,4,5\n1,3,2,3,4,5\n", "line 3: step 3 of epoch 1 comes behind"},
        {HEADER "-1,2,2,3,4,5\n", "line 2: step 2 of epoch -1"},
        {HEADER "\n", "line 2: \"\" is no number"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_steps(cases[i].text), -1);
        assert_error_has("a_steps.csv");
        assert_error_has(cases[i].error);
    }
    char *text = df_text_format(HEADER "1,1,%01200d,3,4,5\n", 1);
    assert_int_equal(read_steps(text), -1);
    assert_error_has("line 2: it is too long");
    free(text);
    assert_int_equal(df_steps_read(scratch_folder(), &steps), -1);
    assert_error_has("not a regular file");
}

static struct df_run_history *read_run(const char *metrics, const char *csv, const char *config)
{
    char *prefix = df_text_format("%s/a", scratch_folder());

    remove(scratch_path("a_steps.csv"));
    remove(scratch_path("a_config.json"));
    scratch_write_text("a_metrics.json", metrics);
    if (csv)
        scratch_write_text("a_steps.csv", csv);
    if (config)
        scratch_write_text("a_config.json", config);
    struct df_run_history *history = df_run_history_read(prefix);
    free(prefix);
    return history;
}

static void a_whole_run_comes_back(void **state)
{
    struct df_run_history *history = read_run(
        "{\"train_loss\": [2, 1.5, null, 1], \"val_loss\": [1.5, 1.25, 1.0], \"val_iou\": [0.5, 0.75, null], "
        "\"val_pixel_accuracy\": [0.5, 0.5, 0.5], \"val_reference_iou\": [0, 0, 0], "
        "\"val_reference_miou\": [0.1, 0.3, 0.2], \"val_epoch\": [1, 3, 4], "
        "\"class_names\": [\"ground\", \"sky\"], \"val_class_iou\": [[0.5, null], [1, 0.5], [0, 0]]}",
        HEADER "1,1,2,1,1,1\n", "{\"best_metric\": \"reference_miou\", \"epochs\": 4}");

    assert_non_null(history);
    assert_string_equal(history->name, "a");
    assert_int_equal(history->n_epochs, 4);
    assert_true(history->train_loss[1] == 1.5);
    assert_true(isnan(history->train_loss[2]));
    assert_int_equal(history->n_validations, 3);
    assert_int_equal(history->validations[1].epoch, 3);
    assert_true(history->validations[1].miou == 0.75);
    assert_true(isnan(history->validations[2].miou));
    assert_int_equal(history->n_classes, 2);
    assert_string_equal(history->class_names[1], "sky");
    assert_true(isnan(history->validations[0].class_iou[1]));
    assert_true(history->validations[1].class_iou[1] == 0.5);
    assert_int_equal(history->best_metric, DF_BEST_REFERENCE_MIOU);
    assert_int_equal(df_run_best(history, history->best_metric), 1);
    assert_int_equal(df_run_best(history, DF_BEST_LOSS), 2);
    assert_int_equal(df_run_best(history, DF_BEST_PIXEL_ACCURACY), 0); /* of equal ones the first */
    assert_int_equal(history->n_notes, 0);
    df_run_history_free(history);
}

static bool notes_have(const struct df_run_history *history, const char *words)
{
    for (int i = 0; i < history->n_notes; i++) {
        if (strstr(history->notes[i], words))
            return true;
    }
    return false;
}

/* The files of dinov2-finetune, for one. */
static void what_is_missing_is_said(void **state)
{
    struct df_run_history *history =
        read_run("{\"train_loss\": [3, 2, 1, 0], \"val_loss\": [2, 1], \"val_iou\": [0.5, 0.5]}", NULL, NULL);

    assert_non_null(history);
    assert_int_equal(history->validations[0].epoch, 2);
    assert_int_equal(history->validations[1].epoch, 4);
    assert_true(isnan(history->validations[0].pixel_accuracy));
    assert_null(history->validations[0].class_iou);
    assert_int_equal(history->best_metric, DF_BEST_MIOU);
    assert_int_equal(df_run_best(history, DF_BEST_REFERENCE_MIOU), -1);
    assert_true(notes_have(history, "a_config.json is not there"));
    assert_true(notes_have(history, "a_steps.csv is not there"));
    assert_true(notes_have(history, "no val_pixel_accuracy"));
    assert_true(notes_have(history, "evenly apart"));
    assert_true(notes_have(history, "nothing of the classes"));
    df_run_history_free(history);
}

static void a_run_without_validation_images_is_said(void **state)
{
    static const char metrics[] = "{\"train_loss\": [3, 2], \"val_loss\": [], \"val_epoch\": []}";
    struct df_run_history *history = read_run(metrics, NULL, "{\"facts\": {\"validation_images\": 0}}");

    assert_non_null(history);
    assert_true(history->is_unmeasured);
    assert_true(notes_have(history, "no validation images"));
    df_run_history_free(history);
    history = read_run(metrics, NULL, "{\"facts\": {\"validation_images\": 1}}");
    assert_non_null(history);
    assert_false(history->is_unmeasured);
    assert_false(notes_have(history, "no validation images"));
    df_run_history_free(history);
}

/* The first versions counted epochs from 0. */
static void epochs_from_zero_are_from_one(void **state)
{
    struct df_run_history *history =
        read_run("{\"train_loss\": [3, 2, 1, 0], \"val_loss\": [2, 1], \"val_epoch\": [1, 3]}",
                 "epoch,step,loss\n0,1,2\n1,2,2\n", NULL);

    assert_non_null(history);
    assert_int_equal(history->validations[0].epoch, 2);
    assert_int_equal(history->validations[1].epoch, 4);
    assert_int_equal(history->steps.epoch_steps, 1);
    df_run_history_free(history);
}

static void damaged_metrics_are_an_error(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{", "is not JSON"},
        {"[]", "no list train_loss"},
        {"{\"train_loss\": [1]}", "no list val_loss"},
        {"{\"train_loss\": [\"1\"], \"val_loss\": []}", "train_loss is no number"},
        {"{\"train_loss\": [1], \"val_loss\": [1, 2]}", "more validations than epochs"},
        {"{\"train_loss\": [1], \"val_loss\": [1], \"val_epoch\": [2]}", "no ascending list of epochs"},
        {"{\"train_loss\": [1, 2], \"val_loss\": [1, 2], \"val_epoch\": [1, 1]}", "no ascending list"},
        {"{\"train_loss\": [1, 2], \"val_loss\": [1, 2], \"val_epoch\": [1, 1.5]}", "no ascending list"},
        {"{\"train_loss\": [1], \"val_loss\": [1], \"val_epoch\": []}", "val_epoch has not as many"},
        {"{\"train_loss\": [1], \"val_loss\": [1], \"val_epoch\": [1], \"val_iou\": []}", "val_iou has not"},
        {"{\"train_loss\": [1], \"val_loss\": [1], \"val_epoch\": [1], \"val_iou\": [45.3]}", "of 0 to 1"},
        {"{\"train_loss\": [1], \"val_loss\": [1], \"val_epoch\": [1], \"class_names\": [1]}", "no text"},
        {"{\"train_loss\": [1], \"val_loss\": [1], \"val_epoch\": [1], \"class_names\": [\"a\"], "
         "\"val_class_iou\": [[]]}",
         "not a value for each class"},
        {"{\"train_loss\": [1], \"val_loss\": [1], \"val_epoch\": [1], \"class_names\": [\"a\"], "
         "\"val_class_iou\": []}",
         "not as many rows"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(read_run(cases[i].text, NULL, NULL));
        assert_error_has("a_metrics.json");
        assert_error_has(cases[i].error);
    }
    assert_null(read_run("{\"train_loss\": [], \"val_loss\": []}", NULL, "[]"));
    assert_error_has("a_config.json is no configuration");
    remove(scratch_path("a_metrics.json"));
    assert_null(df_run_history_read("no/such/run"));
    assert_error_has("no/such/run_metrics.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_come_back),
        cmocka_unit_test(many_steps_are_thinned),
        cmocka_unit_test(a_cut_line_is_left_out),
        cmocka_unit_test(columns_go_by_their_names),
        cmocka_unit_test(damage_is_an_error_that_names_the_line),
        cmocka_unit_test(a_whole_run_comes_back),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(a_run_without_validation_images_is_said),
        cmocka_unit_test(epochs_from_zero_are_from_one),
        cmocka_unit_test(damaged_metrics_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
