#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/error.h"
#include "dinoft/weight_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One tensor of each element type, an odd number of elements in each, a scalar, an empty one, texts, a
 * Parameter. */
static struct df_state *make_state(void)
{
    static const int64_t three[] = {3}, empty[] = {2, 0}, matrix[] = {1, 3};
    static const unsigned char bytes[24] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                            11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
    struct df_state *state = df_state_new();
    for (int i = 0; i < DF_DTYPE_COUNT; i++)
        assert_non_null(
            df_state_borrow(state, df_dtype_name((enum df_dtype)i), (enum df_dtype)i, 1, three, bytes));
    assert_non_null(df_state_borrow(state, "scalar", DF_F32, 0, NULL, bytes));
    assert_non_null(df_state_borrow(state, "empty", DF_F32, 2, empty, bytes));
    df_state_borrow(state, "a.\"name\"/\\ \xc3\xa9", DF_F16, 2, matrix, bytes)->is_parameter = true;
    assert_non_null(df_state_add_text(state, "dinoft", "{\"normalize\": \"imagenet\"}"));
    assert_non_null(df_state_add_text(state, "empty text", ""));
    return state;
}

static void round_trip(void **unused)
{
    struct df_state *state = make_state();
    assert_int_equal(df_weight_file_write(scratch_path("a.safetensors"), state), 0);
    struct df_state *again = read_weights(scratch_path("a.safetensors"));
    assert_states_equal(state, again);
    const unsigned char *begin = again->mapping->bytes;
    for (size_t i = 0; i < again->count; i++) { /* aligned within the file */
        const struct df_tensor *tensor = &again->entries[i].tensor;
        if (tensor->count)
            assert_int_equal(
                ((const unsigned char *)tensor->data - begin) % (long)df_dtype_size(tensor->dtype), 0);
    }
    df_state_free(again);
    df_state_free(state);
}

static void writes_an_empty_state(void **unused)
{
    struct df_state *state = df_state_new();
    assert_int_equal(df_safetensors_write(scratch_path("none.safetensors"), state), 0);
    df_state_free(state);
    state = read_weights(scratch_path("none.safetensors"));
    assert_int_equal(state->count, 0);
    df_state_free(state);
}

static void writes_the_bytes_of_the_format(void **unused)
{
    static const char expected[] =
        "\x58\0\0\0\0\0\0\0{\"__metadata__\":{\"format\":\"pt\"},\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],"
        "\"data_offsets\":[0,8]}} \0\0\x80\x3f\0\0\0\x40";
    static const int64_t shape[] = {1, 2};
    static const float values[] = {1, 2};
    struct df_state *state = df_state_new();
    df_state_borrow(state, "w", DF_F32, 2, shape, values);
    assert_int_equal(df_safetensors_write(scratch_path("w.safetensors"), state), 0);
    df_state_free(state);
    struct df_mapping *mapping = open_or_fail(scratch_path("w.safetensors"));
    assert_int_equal(mapping->size, sizeof expected - 1);
    assert_memory_equal(mapping->bytes, expected, sizeof expected - 1);
    df_mapping_close(mapping);
}

/* .pt -> .safetensors -> .pt loses nothing: Parameters, int64 counters, the order. */
static void keeps_a_checkpoint(void **unused)
{
    static const char *const files[] = {"dinov2_tiny_reg/init_lora_fpn.pt", "dinov3_tiny_7b/backbone.pth"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", DINOFT_FIXTURES, files[i]);
        struct df_state *torch = read_weights(path);
        assert_int_equal(df_weight_file_write(scratch_path("c.safetensors"), torch), 0);
        struct df_state *safe = read_weights(scratch_path("c.safetensors"));
        assert_states_equal(torch, safe);
        assert_int_equal(df_weight_file_write(scratch_path("c.pt"), safe), 0);
        struct df_state *back = read_weights(scratch_path("c.pt"));
        assert_states_equal(torch, back);
        df_state_free(torch);
        df_state_free(safe);
        df_state_free(back);
    }
}

static const char *put_header(const char *header, size_t data)
{
    unsigned char bytes[1024] = {0};
    size_t length = strlen(header);
    assert_true(8 + length + data <= sizeof bytes);
    bytes[0] = (unsigned char)length;
    bytes[1] = (unsigned char)(length >> 8);
    memcpy(bytes + 8, header, length);
    return scratch_write("bad.safetensors", bytes, 8 + length + data);
}

#define TENSOR(dtype, shape, offsets)                                                                        \
    "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void refuses(void **unused)
{
    static const struct {
        const char *header, *error;
    } cases[] = {
        {"{\"a\":", "its header is not JSON"},
        {"{\"a\":3}", "a is not described by an object"},
        {"{\"a\":" TENSOR("F8", "[4]", "[0,4]") "}", "a has the unknown dtype \"F8\""},
        {"{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}", "a has the unknown dtype \"(none)\""},
        {"{\"a\":" TENSOR("F32", "[1.5]", "[0,4]") "}", "a has no \"shape\" of at most 8 whole numbers"},
        {"{\"a\":" TENSOR("F32", "[-1]", "[0,4]") "}", "a has no \"shape\""},
        {"{\"a\":" TENSOR("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", "a has no \"shape\""},
        {"{\"a\":" TENSOR("F32", "[1e300]", "[0,4]") "}", "a has no \"shape\""},
        {"{\"a\":" TENSOR("F32", "[4503599627370496,4503599627370496]", "[0,16]") "}", "which does not fit"},
        {"{\"a\":" TENSOR("F32", "[1]", "[0]") "}", "a has no \"data_offsets\" of two whole numbers"},
        {"{\"a\":" TENSOR("F32", "[1]", "[0,4,8]") "}", "a has no \"data_offsets\""},
        {"{\"a\":" TENSOR("F32", "[1]", "[8,4]") "}", "a lies at bytes 8 to 4, but the file has 16"},
        {"{\"a\":" TENSOR("F32", "[5]", "[0,20]") "}",
         "a lies at bytes 0 to 20, but the file has 16 bytes of data"},
        {"{\"a\":" TENSOR("F32", "[2]", "[0,4]") "}",
         "a has 4 bytes, which does not fit float32 of shape [2]"},
        {"{\"a\":" TENSOR("F32", "[2]", "[0,8]") ",\"b\":" TENSOR("F32", "[1]", "[4,8]") "}",
         "a and b overlap"},
        {"{\"a\":" TENSOR("U8", "[1]", "[0,1]") ",\"a\":" TENSOR("U8", "[1]", "[1,2]") "}",
         "a is there twice"},
        {"{\"__metadata__\":{\"dinoft.parameters\":\"3\"}}", "dinoft.parameters is not a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path = put_header(cases[i].header, 16);
        assert_null(df_weight_file_read(path, NULL));
        if (!strstr(df_error_text(), cases[i].error) || !strstr(df_error_text(), path))
            fail_msg("%s: got \"%s\"", cases[i].header, df_error_text());
    }
    assert_null(
        df_weight_file_read(scratch_write("bad.safetensors", "\xff\xff\xff\xff\0\0\0\0{}", 10), NULL));
    assert_error_has("its header of 4294967295 bytes does not fit a file of 10");
}

static void reads_other_peoples_metadata(void **unused)
{
    struct df_state *state =
        read_weights(put_header("{\"__metadata__\":{\"format\":\"tf\",\"n\":3,\"who\":\"me\"},"
                                "\"a\":" TENSOR("F32", "[]", "[4,8]") "}   ",
                                16));
    assert_int_equal(state->count, 3);
    assert_string_equal(state->entries[0].name, "a");
    assert_string_equal(df_state_find(state, "who")->text, "me");
    assert_string_equal(df_state_find(state, "format")->text, "tf");
    assert_int_equal(state->ignored, 1);
    assert_int_equal(df_weight_file_write(scratch_path("tf.safetensors"), state), 0);
    df_state_free(state);
    state = read_weights(scratch_path("tf.safetensors"));
    assert_string_equal(df_state_find(state, "format")->text, "tf");
    df_state_free(state);
}

static void survives_damage(void **unused)
{
    struct df_state *state = make_state();
    assert_int_equal(df_safetensors_write(scratch_path("d.safetensors"), state), 0);
    df_state_free(state);
    read_damaged(scratch_path("d.safetensors"), 3);
}

static void tells_formats_apart(void **unused)
{
    static const struct {
        const char *bytes, *error;
    } cases[] = {
        {"", "the file is empty"},
        {"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"},
        {"<!DOCTYPE html>", "a web page"},
        {"hello", "neither a PyTorch"},
        {"\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", "PyTorch before 1.6"},
        {"PK\3\4", "bad"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_null(df_weight_file_read(scratch_write("bad", cases[i].bytes, strlen(cases[i].bytes)), NULL));
        if (!strstr(df_error_text(), cases[i].error) || !strstr(df_error_text(), "bad"))
            fail_msg("case %zu: %s", i, df_error_text());
    }
    enum df_weight_format format = DF_FORMAT_ONNX;
    struct df_state *state =
        df_weight_file_read(DINOFT_FIXTURES "/hf/dinov3_tiny/model.safetensors", &format);
    assert_int_equal(format, DF_FORMAT_SAFETENSORS);
    assert_int_equal(df_weight_file_write("weights.bin", state), -1);
    assert_string_equal(df_error_text(),
                        "cannot write weights.bin: weights are written as .pt, .pth or .safetensors");
    df_state_free(state);
    df_state_free(df_weight_file_read(DINOFT_FIXTURES "/dinov3_tiny/backbone.pth", &format));
    assert_int_equal(format, DF_FORMAT_TORCH);
    assert_null(df_weight_file_read("/nonexistent.pt", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(writes_an_empty_state),
        cmocka_unit_test(writes_the_bytes_of_the_format),
        cmocka_unit_test(keeps_a_checkpoint),
        cmocka_unit_test(refuses),
        cmocka_unit_test(reads_other_peoples_metadata),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(tells_formats_apart),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
