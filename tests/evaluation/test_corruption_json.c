/* The JSON file of scores under corruptions: its keys, the way back, and files that are damaged or others'.
 */
#include "support/errors.h"
#include "support/markup.h"
#include "support/scratch.h"

#include "dinoft/corruption_results.h"
#include "dinoft/error.h"
#include "dinoft/rng.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "model 1, data 2, seed 0"

static const int severities[] = {1, 2, 5};

/* Three rows of three severities, without a score. */
static void begin(struct df_corruption_results *results)
{
    assert_int_equal(df_corruption_results_init(results, "imagenet-c", severities, 3), 0);
    assert_int_equal(df_corruption_results_add(results, "fog", "weather", true), 0);
    assert_int_equal(df_corruption_results_add(results, "frost", "weather", true), 0);
    assert_int_equal(df_corruption_results_add(results, "spatter", "extra", false), 0);
}

/* Scores with all of a double's digits; frost at 5 is missing, fog at 2 has nothing counted. */
static void fill(struct df_corruption_results *results)
{
    struct df_rng rng;
    begin(results);
    df_rng_seed(&rng, 7, 0);
    results->clean =
        (struct df_corruption_cell){true, df_rng_double(&rng), df_rng_double(&rng), df_rng_double(&rng), 1.0};
    for (size_t row = 0; row < 3; row++) {
        for (int s = 0; s < 3; s++)
            results->rows[row].cells[severities[s] - 1] = (struct df_corruption_cell){
                true, df_rng_double(&rng), df_rng_double(&rng), df_rng_double(&rng), df_rng_double(&rng)};
    }
    results->rows[1].cells[4].done = false;
    results->rows[0].cells[1].miou = results->rows[0].cells[1].pixel_accuracy = NAN;
}

static const struct df_fact facts[] = {{"checkpoint", "out/\"a\".pt"}, {"name", "caf\xe9"}};

static char *written(const struct df_corruption_results *results, const char *name)
{
    assert_int_equal(df_corruption_results_write(scratch_path(name), results, KEY, facts, 2), 0);
    return page_of_file(scratch_path(name));
}

static bool same_cell(const struct df_corruption_cell *a, const struct df_corruption_cell *b)
{
    if (!a->done || !b->done)
        return a->done == b->done;
    return (a->miou == b->miou || (isnan(a->miou) && isnan(b->miou))) &&
           a->reference_iou == b->reference_iou && a->reference_miou == b->reference_miou;
}

static void assert_same(const struct df_corruption_results *a, const struct df_corruption_results *b)
{
    assert_true(same_cell(&a->clean, &b->clean));
    for (size_t row = 0; row < a->n_rows; row++)
        for (int s = 0; s < DF_SEVERITIES; s++)
            assert_true(same_cell(&a->rows[row].cells[s], &b->rows[row].cells[s]));
}

static const cJSON *at(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!item)
        fail_msg("%s is missing", name);
    return item;
}

static void the_keys_are_as_documented(void **state)
{
    struct df_corruption_results results;
    struct df_corruption_mean mean;
    fill(&results);
    assert_int_equal(df_corruption_results_skip(&results, "no <reason>"), 0);
    char *text = written(&results, "a.json");
    cJSON *tree = cJSON_Parse(text);
    assert_non_null(tree);
    assert_string_equal(cJSON_GetStringValue(at(tree, "key")), KEY);
    assert_true(cJSON_IsString(at(tree, "version")));
    assert_string_equal(cJSON_GetStringValue(at(tree, "suite")), "imagenet-c");
    assert_int_equal(cJSON_GetArraySize(at(tree, "severities")), 3);
    assert_string_equal(cJSON_GetStringValue(at(at(tree, "facts"), "name")), "caf\\xE9");
    assert_true(at(at(tree, "clean"), "miou")->valuedouble == results.clean.miou);
    const cJSON *rows = at(tree, "corruptions"), *fog = cJSON_GetArrayItem(rows, 0);
    assert_string_equal(cJSON_GetStringValue(at(fog, "name")), "fog");
    assert_string_equal(cJSON_GetStringValue(at(fog, "family")), "weather");
    assert_true(cJSON_IsTrue(at(fog, "common")));
    assert_true(cJSON_IsNull(at(fog, "skipped")));
    assert_true(at(cJSON_GetArrayItem(at(fog, "cells"), 2), "miou")->valuedouble ==
                results.rows[0].cells[4].miou);
    assert_true(cJSON_IsNull(at(cJSON_GetArrayItem(at(fog, "cells"), 1), "miou")));
    assert_true(cJSON_IsNull(at(at(fog, "mean"), "miou")));
    assert_true(cJSON_IsNumber(at(at(fog, "mean"), "reference_iou")));
    assert_true(cJSON_IsNumber(at(at(fog, "mean"), "reference_miou")));
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(at(cJSON_GetArrayItem(rows, 1), "cells"), 2)));
    assert_string_equal(cJSON_GetStringValue(at(cJSON_GetArrayItem(rows, 2), "skipped")), "no <reason>");
    const cJSON *common = at(at(tree, "means"), "common");
    assert_int_equal(at(common, "corruptions")->valueint, 2);
    df_corruption_mean(&results, (struct df_corruption_part){.family = "weather"}, &mean);
    const cJSON *weather = at(at(at(tree, "means"), "families"), "weather");
    assert_true(cJSON_IsNull(at(weather, "drop")) && cJSON_IsNull(at(weather, "relative")));
    assert_true(isnan(mean.drop));
    at(at(tree, "means"), "all");
    cJSON_Delete(tree);
    free(text);
    df_corruption_results_free(&results);
}

/* What is read back and written again is the same file: a run that was stopped leaves no trace. */
static void the_way_back_keeps_every_bit(void **state)
{
    struct df_corruption_results results, again;
    int taken;
    fill(&results);
    char *first = written(&results, "a.json");
    begin(&again);
    assert_int_equal(df_corruption_results_read(scratch_path("a.json"), KEY, &again, &taken), 0);
    assert_int_equal(taken, 1 + 8);
    assert_same(&results, &again);
    char *second = written(&again, "b.json");
    assert_string_equal(first, second);
    free(first);
    free(second);
    df_corruption_results_free(&results);
    df_corruption_results_free(&again);
}

static void without_a_file_nothing_is_taken(void **state)
{
    struct df_corruption_results results;
    int taken = 5;
    begin(&results);
    assert_int_equal(df_corruption_results_read(scratch_path("none.json"), KEY, &results, &taken), 0);
    assert_int_equal(taken, 0);
    df_corruption_results_free(&results);
}

/* Rows by name, in another order than the file's and among more rows and severities. */
static void more_is_wanted_than_there_is(void **state)
{
    const int wanted[] = {1, 2, 4, 5};
    struct df_corruption_results results, other;
    int taken;
    fill(&results);
    free(written(&results, "a.json"));
    assert_int_equal(df_corruption_results_init(&other, "imagenet-c", wanted, 4), 0);
    assert_int_equal(df_corruption_results_add(&other, "snow", "weather", true), 0);
    assert_int_equal(df_corruption_results_add(&other, "frost", "weather", true), 0);
    assert_int_equal(df_corruption_results_add(&other, "fog", "weather", true), 0);
    assert_int_equal(df_corruption_results_add(&other, "spatter", "extra", false), 0);
    other.rows[3].cells[3] = (struct df_corruption_cell){true, 0.5, 0.5, 0.5, 0.5}; /* stays */
    assert_int_equal(df_corruption_results_read(scratch_path("a.json"), KEY, &other, &taken), 0);
    assert_int_equal(taken, 9); /* clean and eight of nine */
    for (int s = 0; s < DF_SEVERITIES; s++) {
        assert_false(other.rows[0].cells[s].done);
        assert_true(same_cell(&other.rows[1].cells[s], &results.rows[1].cells[s]));
        assert_true(same_cell(&other.rows[2].cells[s], &results.rows[0].cells[s]));
        if (s != 3)
            assert_true(same_cell(&other.rows[3].cells[s], &results.rows[2].cells[s]));
    }
    assert_true(other.rows[3].cells[3].miou == 0.5);
    df_corruption_results_free(&results);
    df_corruption_results_free(&other);
}

/* Reads a.json into fog, frost and spatter, or the first of them. */
static int read_into(int n_rows, const int *wanted, int n_wanted, bool skip_frost, int *taken)
{
    static const char *const names[] = {"fog", "frost", "spatter"};
    struct df_corruption_results results;

    assert_int_equal(df_corruption_results_init(&results, "imagenet-c", wanted, n_wanted), 0);
    for (int i = 0; i < n_rows; i++) {
        assert_int_equal(df_corruption_results_add(&results, names[i], "weather", true), 0);
        if (i == 1 && skip_frost)
            assert_int_equal(df_corruption_results_skip(&results, "no photographs"), 0);
    }
    const int status = df_corruption_results_read(scratch_path("a.json"), KEY, &results, taken);
    if (status != 0)
        assert_false(results.clean.done || results.rows[0].cells[0].done);
    df_corruption_results_free(&results);
    return status;
}

/* The file will be written again, with what is wanted now. Cells that it does not have cannot be lost. */
static void scores_that_would_be_lost_are_refused(void **state)
{
    struct df_corruption_results results;
    int taken;
    fill(&results);
    free(written(&results, "a.json"));
    assert_int_equal(read_into(3, severities, 2, false, &taken), -1);
    assert_error_has("it has scores of fog at severity 5, which would be lost");
    assert_int_equal(taken, 0);
    assert_int_equal(read_into(2, severities, 3, false, &taken), -1);
    assert_error_has("scores of spatter at severity 1");
    assert_int_equal(read_into(3, severities, 3, true, &taken), -1);
    assert_error_has("scores of frost at severity 1");
    for (int s = 0; s < DF_SEVERITIES; s++)
        results.rows[1].cells[s].done = results.rows[2].cells[s].done = false;
    free(written(&results, "a.json"));
    assert_int_equal(read_into(2, severities, 3, true, &taken), 0);
    assert_int_equal(taken, 4);
    df_corruption_results_free(&results);
}

/* Reads a file that must be refused, and leaves what was there. */
static void assert_refused(const char *name, const char *key, const char *words)
{
    struct df_corruption_results results;
    int taken;
    begin(&results);
    results.rows[2].cells[0] = (struct df_corruption_cell){true, 0.25, 0.25, 0.25, 0.25};
    assert_int_equal(df_corruption_results_read(scratch_path(name), key, &results, &taken), -1);
    assert_error_has(words);
    assert_error_has(name);
    assert_int_equal(taken, 0);
    assert_false(results.clean.done);
    assert_false(results.rows[0].cells[0].done);
    assert_true(results.rows[2].cells[0].miou == 0.25);
    df_corruption_results_free(&results);
}

static void others_scores_are_refused(void **state)
{
    struct df_corruption_results results;
    int taken;
    fill(&results);
    free(written(&results, "a.json"));
    assert_refused("a.json", "another key", "another model");
    assert_refused("a.json", "", "another model");
    df_corruption_results_free(&results);

    fill(&results);
    free(results.suite);
    results.suite = strdup("reference");
    free(written(&results, "a.json"));
    assert_refused("a.json", KEY, "another model");
    df_corruption_results_free(&results);

    fill(&results); /* a key of any bytes finds itself again */
    assert_int_equal(df_corruption_results_write(scratch_path("a.json"), &results, "k\xff\"\n", NULL, 0), 0);
    assert_int_equal(df_corruption_results_read(scratch_path("a.json"), "k\xff\"\n", &results, &taken), 0);
    df_corruption_results_free(&results);
}

/* A file of one row, with these texts in place of its parts; NULL: as it should be. */
static void write_file(const char *suite, const char *list, const char *clean, const char *rows)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"key\": \"" KEY "\", \"suite\": %s, \"severities\": %s, \"clean\": %s, \"corruptions\": %s}",
             suite ? suite : "\"imagenet-c\"", list ? list : "[1]", clean ? clean : "null",
             rows ? rows : "[{\"name\": \"fog\", \"cells\": [null]}]");
    scratch_write_text("d.json", text);
}

#define CELL(miou, iou, reference_miou, accuracy)                                                            \
    "{\"miou\": " miou ", \"reference_iou\": " iou ", \"reference_miou\": " reference_miou                   \
    ", \"pixel_accuracy\": " accuracy "}"
#define SCORES CELL("0.5", "0.5", "0.5", "0.5")

static void damaged_parts_are_refused(void **state)
{
    static const struct {
        const char *suite, *list, *clean, *rows, *words;
    } cases[] = {
        {.suite = "7", .words = "no scores"},
        {.suite = "null", .words = "no scores"},
        {.list = "null", .words = "severities"},
        {.list = "{}", .words = "severities"},
        {.list = "[0]", .words = "severities"},
        {.list = "[6]", .words = "severities"},
        {.list = "[1.5]", .words = "severities"},
        {.list = "[-1]", .words = "severities"},
        {.list = "[1e999]", .words = "severities"},
        {.list = "[\"1\"]", .words = "severities"},
        {.list = "[2, 1]", .words = "severities"},
        {.list = "[1, 1]", .words = "severities"},
        {.list = "[1, 2, 3, 4, 5, 5]", .words = "severities"},
        {.list = "[]", .words = "a cell for each"},
        {.list = "[1, 2]", .words = "a cell for each"},
        {.clean = "7", .words = "neither scores nor null"},
        {.clean = "[]", .words = "neither scores nor null"},
        {.clean = "\"0.5\"", .words = "neither scores nor null"},
        {.clean = "{}", .words = "earlier versions"},
        {.clean = "{\"miou\": 0.5, \"reference_iou\": 0.5, \"pixel_accuracy\": 0.5}",
         .words = "no reference_miou"},
        {.clean = "{\"reference_miou\": 0.5}", .words = "miou"},
        {.clean = CELL("\"0.5\"", "0", "0", "0"), .words = "miou"},
        {.clean = CELL("0.5", "true", "0", "0"), .words = "reference_iou"},
        {.clean = CELL("0.5", "0", "{}", "0"), .words = "reference_miou"},
        {.clean = CELL("0.5", "0", "0", "[]"), .words = "pixel_accuracy"},
        {.clean = CELL("1.5", "0", "0", "0"), .words = "miou"},
        {.clean = CELL("-0.1", "0", "0", "0"), .words = "miou"},
        {.clean = CELL("1e999", "0", "0", "0"), .words = "miou"},
        {.clean = CELL("-1e999", "0", "0", "0"), .words = "miou"},
        {.rows = "null", .words = "no scores"},
        {.rows = "{}", .words = "no scores"},
        {.rows = "[7]", .words = "no name"},
        {.rows = "[null]", .words = "no name"},
        {.rows = "[{}]", .words = "no name"},
        {.rows = "[{\"name\": 7, \"cells\": [null]}]", .words = "no name"},
        {.rows = "[{\"name\": \"fog\"}]", .words = "no name"},
        {.rows = "[{\"name\": \"fog\", \"cells\": null}]", .words = "no name"},
        {.rows = "[{\"name\": \"fog\", \"cells\": {}}]", .words = "no name"},
        {.rows = "[{\"name\": \"fog\", \"cells\": []}]", .words = "a cell for each"},
        {.rows = "[{\"name\": \"fog\", \"cells\": [null, null]}]", .words = "a cell for each"},
        {.rows = "[{\"name\": \"fog\", \"cells\": [7]}]", .words = "neither scores nor null"},
        {.rows = "[{\"name\": \"fog\", \"cells\": [{}]}]", .words = "miou"},
        {.rows = "[{\"name\": \"unknown\", \"cells\": [{}]}]", .words = "miou"},
        {.rows =
             "[{\"name\": \"fog\", \"cells\": [" SCORES "]}, {\"name\": \"fog\", \"cells\": [" SCORES "]}]",
         .words = "twice"},
    };
    struct df_corruption_results results;
    int taken;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(cases[i].suite, cases[i].list, cases[i].clean, cases[i].rows);
        assert_refused("d.json", KEY, cases[i].words);
    }
    /* The same file without damage is read, so that it was the damage which was refused. */
    write_file(NULL, NULL, SCORES, "[{\"name\": \"fog\", \"cells\": [" SCORES "]}]");
    begin(&results);
    assert_int_equal(df_corruption_results_read(scratch_path("d.json"), KEY, &results, &taken), 0);
    assert_int_equal(taken, 2);
    df_corruption_results_free(&results);
}

static void damaged_files_are_refused(void **state)
{
    static const char *const texts[] = {
        "",         "null", "{} {}",        "7",       "[]",
        "\"text\"", "{}",   "{\"key\": 7}", "no JSON", "{\"key\": \"" KEY "\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        scratch_write_text("d.json", texts[i]);
        assert_refused("d.json", KEY, "d.json");
    }
    char *deep = malloc(20001);
    memset(deep, '[', 20000);
    deep[20000] = '\0';
    scratch_write_text("d.json", deep);
    assert_refused("d.json", KEY, "not JSON");
    free(deep);
}

/* Cut at every length. */
static void cut_files_are_refused(void **state)
{
    struct df_corruption_results results;
    fill(&results);
    char *text = written(&results, "a.json");
    const size_t length = strlen(text) - 2; /* without the newline and the last brace */
    for (size_t i = 0; i < length; i += 7) {
        scratch_write("d.json", text, i);
        assert_refused("d.json", KEY, "not JSON");
    }
    free(text);
    df_corruption_results_free(&results);
}

/* Bytes changed at random: read or refused, never anything else, and nothing out of range is taken. */
static void changed_files_do_no_harm(void **state)
{
    struct df_corruption_results results, again;
    struct df_rng rng;
    int refused = 0, taken;
    fill(&results);
    char *text = written(&results, "a.json");
    const size_t length = strlen(text);
    df_rng_seed(&rng, 11, 0);
    for (int i = 0; i < 1000; i++) {
        char *changed = malloc(length);
        memcpy(changed, text, length);
        for (uint64_t k = 0; k <= df_rng_below(&rng, 3); k++)
            changed[df_rng_below(&rng, length)] = (char)df_rng_below(&rng, 256);
        scratch_write("d.json", changed, length);
        begin(&again);
        if (df_corruption_results_read(scratch_path("d.json"), KEY, &again, &taken) != 0)
            refused++;
        for (size_t row = 0; row < 3; row++) {
            for (int s = 0; s < DF_SEVERITIES; s++) {
                const struct df_corruption_cell *cell = &again.rows[row].cells[s];
                if (cell->done && !isnan(cell->miou))
                    assert_true(cell->miou >= 0.0 && cell->miou <= 1.0);
            }
        }
        df_corruption_results_free(&again);
        free(changed);
    }
    assert_true(refused > 200 && refused < 1000);
    free(text);
    df_corruption_results_free(&results);
}

static void a_folder_is_no_file(void **state)
{
    struct df_corruption_results results;
    int taken;
    begin(&results);
    assert_int_equal(df_corruption_results_read(scratch_folder(), KEY, &results, &taken), -1);
    df_corruption_results_free(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_are_as_documented),
        cmocka_unit_test(the_way_back_keeps_every_bit),
        cmocka_unit_test(without_a_file_nothing_is_taken),
        cmocka_unit_test(more_is_wanted_than_there_is),
        cmocka_unit_test(scores_that_would_be_lost_are_refused),
        cmocka_unit_test(others_scores_are_refused),
        cmocka_unit_test(damaged_parts_are_refused),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(changed_files_do_no_harm),
        cmocka_unit_test(a_folder_is_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
