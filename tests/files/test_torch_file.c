/* .pt files: real ones, and states of every kind, there and back. */
#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/mapped_file.h"
#include "dinoft/weight_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *made(void)
{
    return scratch_path("made.pt");
}

/* Reads, writes, reads again: the same state, in place. */
static void round_trip(const char *file)
{
    struct df_state *first = read_weights(file);
    assert_int_equal(df_torch_write(made(), first), 0);
    struct df_state *again = read_weights(made());
    assert_states_equal(first, again);
    for (size_t i = 0; i < again->count; i++)
        assert_true(again->entries[i].text || !again->entries[i].owned);
    df_state_free(first);
    df_state_free(again);
}

/* What torch.save itself wrote, from a plain dict and not on a GPU, comes out again byte for byte, but for
 * the forty digits of the serialization id and their CRC, which stands behind them and in the directory. */
static void check_same_bytes(const char *file)
{
    struct df_state *state = read_weights(file);
    const char *out = scratch_path(strrchr(file, '/') + 1);
    assert_int_equal(df_torch_write(out, state), 0);
    df_state_free(state);

    struct df_mapping *a = df_mapping_open(file), *b = df_mapping_open(out);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->size, b->size);
    size_t differing = 0;
    for (size_t i = 0; i < a->size; i++)
        differing += a->bytes[i] != b->bytes[i];
    assert_in_range(differing, 0, 40 + 4 + 4);
    df_mapping_close(a);
    df_mapping_close(b);
    unlink(out);
}

static void test_fixtures(void **state)
{
    static const char *const files[] = {
        "dinov2_tiny/backbone.pth",
        "dinov2_tiny/init_linear.pt",
        "dinov2_tiny/init_lora_linear.pt",
        "dinov2_tiny_reg/after5_lora_fpn.pt",
        "dinov2_tiny_swiglu_reg/backbone.pth",
        "dinov3_tiny/after5_lora_linear.pt",
        "dinov3_tiny_7b/backbone.pth",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char file[512];
        snprintf(file, sizeof file, DINOFT_FIXTURES "/%s", files[i]);
        round_trip(file);
        check_same_bytes(file);
    }
    round_trip(DINOFT_FIXTURES "/dinov3_tiny/backbone.pth");
    round_trip(DINOFT_FIXTURES "/vits14/init_lora_linear.pt");
}

static void check_entry(const struct df_state *state, const char *name, bool is_parameter, const char *shape)
{
    char text[DF_SHAPE_TEXT_MAX];
    const struct df_entry *entry = df_state_find(state, name);
    if (!entry)
        fail_msg("no %s", name);
    assert_int_equal(entry->is_parameter, is_parameter);
    assert_string_equal(df_shape_text(entry->tensor.shape, entry->tensor.ndim, text), shape);
}

static void test_names_and_kinds(void **unused)
{
    struct df_state *state = read_weights(DINOFT_FIXTURES "/dinov3_tiny/backbone.pth");
    check_entry(state, "model.cls_token", false, "[1, 1, 128]"); /* nested in the file */
    df_state_free(state);
    state = read_weights(DINOFT_FIXTURES "/dinov2_tiny_reg/after5_lora_fpn.pt");
    check_entry(state, "w_a_000", true, "[3, 128]");
    check_entry(state, "conv1.1.num_batches_tracked", false, "[]");
    const struct df_entry *steps = df_state_find(state, "conv1.1.num_batches_tracked");
    int64_t five;
    assert_int_equal(steps->tensor.dtype, DF_I64);
    memcpy(&five, steps->tensor.data, sizeof five);
    assert_int_equal(five, 5);
    df_state_free(state);
}

/* In the fixtures, or beside the clone; false where it is in neither. */
static bool find_seed(const char *name, char file[512])
{
    snprintf(file, 512, DINOFT_FIXTURES "/seed_checkpoints/%s", name);
    if (access(file, R_OK) != 0)
        snprintf(file, 512, DINOFT_SOURCE_DIR "/../shared/seed_checkpoints/%s", name);
    if (access(file, R_OK) == 0)
        return true;
    print_message("%s is not here: not tested\n", name);
    return false;
}

static void test_seed_checkpoints(void **unused)
{
    static const struct {
        const char *file, *classifier, *last_lora, *lora_shape;
    } seeds[] = {
        {"dinov2/large_voc_no_lora.pt", "[21, 1024, 1, 1]", NULL, NULL},
        {"dinov3/large_voc_lora.pt", "[21, 1024, 1, 1]", "w_b_047", "[1024, 3]"},
        {"dinov2/large_ade20k_no_lora.pt", "[150, 1024, 1, 1]", NULL, NULL},
        {"dinov2/large_voc_lora.pt", "[21, 1024, 1, 1]", "w_b_047", "[1024, 3]"},
        {"dinov2/large_ade20k_lora.pt", "[150, 1024, 1, 1]", "w_b_047", "[1024, 3]"},
        {"dinov3/large_ade20k_lora.pt", "[150, 1024, 1, 1]", "w_b_047", "[1024, 3]"},
        {"2025-10/base_voc_lora.pt", "[21, 768, 1, 1]", "w_b_023", "[768, 3]"},
        {"2025-10/large_voc_lora.pt", "[21, 1024, 1, 1]", "w_b_047", "[1024, 3]"},
        {"2025-10/huge_voc_lora.pt", "[21, 1280, 1, 1]", "w_b_063", "[1280, 3]"},
    };
    char file[512];
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        if (!find_seed(seeds[i].file, file))
            continue;
        round_trip(file);
        struct df_state *state = read_weights(file);
        check_entry(state, "classifier.weight", false, seeds[i].classifier);
        if (seeds[i].last_lora)
            check_entry(state, seeds[i].last_lora, true, seeds[i].lora_shape);
        df_state_free(state);
    }
}

static void test_every_type_and_text(void **unused)
{
    static const unsigned char bytes[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const int64_t shape[DF_MAX_DIMS] = {2, 1, 3, 1, 1, 1, 1, 1}, empty[] = {3, 0};
    struct df_state *state = df_state_new();
    for (int type = 0; type < DF_DTYPE_COUNT; type++) {
        char name[32];
        snprintf(name, sizeof name, "type.%d", type);
        struct df_entry *entry = df_state_copy(state, name, (enum df_dtype)type, type % 4, shape, bytes);
        assert_non_null(entry);
        entry->is_parameter = type % 2;
    }
    assert_non_null(df_state_copy(state, "empty", DF_F32, 2, empty, NULL));
    assert_non_null(df_state_copy(state, "eight", DF_F16, 8, shape, bytes));
    assert_non_null(df_state_add_text(state, "dinoft", "{\"text\": \"\xc3\xa9\n\"}"));
    assert_int_equal(df_torch_write(made(), state), 0);
    struct df_state *again = read_weights(made());
    assert_states_equal(state, again);
    df_state_free(state);
    df_state_free(again);
}

static void test_state_sizes(void **unused)
{
    static const int counts[] = {0, 1, 2, 999, 1000, 1001, 2001};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct df_state *state = df_state_new();
        for (int j = 0; j < counts[i]; j++) {
            char name[16];
            snprintf(name, sizeof name, "t%d", j);
            assert_non_null(df_state_copy(state, name, DF_I32, 0, NULL, &j));
        }
        assert_int_equal(df_torch_write(made(), state), 0);
        struct df_state *again = read_weights(made());
        assert_states_equal(state, again);
        df_state_free(state);
        df_state_free(again);
    }
}

static void test_unwritable(void **unused)
{
    struct df_state *state = df_state_new();
    assert_int_equal(df_torch_write("no/such/folder/x.pt", state), -1);
    assert_error_has("no/such/folder");
    df_state_free(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),         cmocka_unit_test(test_names_and_kinds),
        cmocka_unit_test(test_seed_checkpoints), cmocka_unit_test(test_every_type_and_text),
        cmocka_unit_test(test_state_sizes),      cmocka_unit_test(test_unwritable),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
