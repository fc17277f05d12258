/* The recorded configuration, read back with cJSON. */
#include "command_line.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "src/config/options.h"
#include "dinoft/error.h"
#include "dinoft/json_writer.h"
#include "dinoft/version.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses the words, writes the record and reads its text. */
static void record(const char *const *words, char *text, size_t size)
{
    struct df_config config;
    const char *argv[PARSE_MAX_WORDS], *path = scratch_path("config.json");
    size_t length;
    struct df_json json = {0};
    if (parse_words(&config, argv, words) != DF_PARSE_RUN)
        fail_msg("%s", df_error_text());
    df_config_to_json(&json, &config);
    df_json_close(&json);
    assert_int_equal(df_json_write(&json, path), 0);
    unsigned char *bytes = read_whole(path, &length);
    remove(path);
    assert_true(length < size);
    memcpy(text, bytes, length);
    free(bytes);
    text[length] = '\0';
    assert_true(text[length - 1] == '\n');
}

#define RECORD(TEXT, ...) record((const char *const[]){__VA_ARGS__, NULL}, TEXT, sizeof TEXT)

static void holds_exactly_the_command_s_options(void **state)
{
    static const char *const lines[DF_COMMAND_COUNT][6] = {
        {"train"},
        {"sweep"},
        {"eval", "--lora_weights", "a"},
        {"corrupt", "--lora_weights", "a"},
        {"corrupt-images", "--corruptions", "fog", "i.jpg"},
        {"predict", "--lora_weights", "a", "i.jpg"},
        {"features", "--output", "a", "i.jpg"},
        {"pca", "i.jpg"},
        {"convert", "a", "b"},
        {"report", "--output", "a", "b"},
        {"data"},
        {"info", "a"},
        {"demo-data"},
        {"bench"},
        {"selftest"},
    };
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        char text[8192];
        record(lines[c], text, sizeof text);
        cJSON *object = cJSON_Parse(text);
        assert_non_null(object);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(object, "dinoft")), DINOFT_VERSION);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(object, "command")), lines[c][0]);
        for (int i = 0; i < DF_OPTION_COUNT; i++)
            assert_int_equal(cJSON_HasObjectItem(object, df_options[i].name),
                             df_command_takes((enum df_command)c, &df_options[i]));
        assert_int_equal(cJSON_HasObjectItem(object, "inputs"), df_commands[c].max_inputs > 0);
        cJSON_Delete(object);
    }
}

/* They are what a command has that gets no flag. */
static void defaults_are_those_of_a_bare_command(void **state)
{
    char text[8192], *defaults = df_config_defaults(DF_COMMAND_TRAIN);

    assert_non_null(defaults);
    RECORD(text, "train");
    cJSON *bare = cJSON_Parse(text), *object = cJSON_Parse(defaults);
    /* but for what it chooses by others: the backbone is frozen */
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(bare, "augment")), "none");
    cJSON_ReplaceItemInObject(bare, "augment", cJSON_CreateString("standard"));
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(bare, "lr_head")) == 10);
    cJSON_ReplaceItemInObject(bare, "lr_head", cJSON_CreateNumber(5));
    assert_true(cJSON_Compare(bare, object, true));
    cJSON_Delete(object);
    cJSON_Delete(bare);
    free(defaults);
}

static void values_come_back(void **state)
{
    char text[8192];
    RECORD(text, "train", "--exp_name", "a \"quoted\" \\ name", "--use_lora", "--img_dim", "308", "490",
           "--lr", "0.0123", "--seed", "9007199254740993", "--recipe", "reference");
    cJSON *object = cJSON_Parse(text);
    assert_non_null(object);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(object, "exp_name")),
                        "a \"quoted\" \\ name");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(object, "use_lora")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(object, "use_fpn")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(object, "weights")));
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(object, "lr")) == 0.0123);
    const cJSON *size = cJSON_GetObjectItem(object, "img_dim");
    assert_int_equal(cJSON_GetArraySize(size), 2);
    assert_true(cJSON_GetNumberValue(cJSON_GetArrayItem(size, 0)) == 308);
    assert_true(cJSON_GetNumberValue(cJSON_GetArrayItem(size, 1)) == 490);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(object, "normalize")), "auto");
    assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(object, "rope_rescale")) == 2);
    const cJSON *scale = cJSON_GetObjectItem(object, "augment_scale");
    assert_int_equal(cJSON_GetArraySize(scale), 2);
    assert_true(cJSON_GetNumberValue(cJSON_GetArrayItem(scale, 0)) == 0.5);
    assert_true(cJSON_GetNumberValue(cJSON_GetArrayItem(scale, 1)) == 2.0);
    assert_non_null(strstr(text, "\"9007199254740993\"")); /* more than a double holds */
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(object, "device")), "auto");
    cJSON_Delete(object);
}

static void a_device_s_number_is_recorded(void **state)
{
    (void)state;
    char text[8192];
    RECORD(text, "train", "--device", "cuda:12");
    assert_non_null(strstr(text, "\"cuda:12\""));
}

static void inputs_are_recorded(void **state)
{
    char text[8192];
    RECORD(text, "convert", "a.pt", "--dtype", "fp16", "b.pt");
    cJSON *object = cJSON_Parse(text);
    const cJSON *inputs = cJSON_GetObjectItem(object, "inputs");
    assert_int_equal(cJSON_GetArraySize(inputs), 2);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(inputs, 1)), "b.pt");
    cJSON_Delete(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_exactly_the_command_s_options),
        cmocka_unit_test(defaults_are_those_of_a_bare_command),
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(a_device_s_number_is_recorded),
        cmocka_unit_test(inputs_are_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
