/* .pt files made by hand: layouts of tensors, hostile and damaged archives. */
#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "src/files/pickle.h"
#include "src/files/zip.h"

#include "dinoft/atomic_write.h"
#include "dinoft/weight_file.h"
#include "dinoft/mapped_file.h"
#include "dinoft/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *made(void)
{
    return scratch_path("made.pt");
}

/* An archive made by hand. */
struct extra {
    const char *name, *content;
};

static void make_archive(const void *pickle, size_t size, const void *storage, size_t storage_size,
                         const struct extra *extra)
{
    struct df_atomic_file *file = df_atomic_open(made());
    assert_non_null(file);
    struct df_zip_writer *zip = df_zip_writer_new(df_atomic_stream(file), DF_ZIP64_FROM);
    assert_int_equal(df_zip_add(zip, "r/data.pkl", pickle, size), 0);
    assert_int_equal(df_zip_add(zip, "r/data/0", storage, storage_size), 0);
    if (extra)
        assert_int_equal(df_zip_add(zip, extra->name, extra->content, strlen(extra->content)), 0);
    assert_int_equal(df_zip_finish(zip), 0);
    df_zip_writer_free(zip);
    assert_int_equal(df_atomic_commit(file), 0);
}

/* A tensor as a pickle describes it, free to be wrong. */
struct described {
    const char *storage_class, *key;
    int64_t storage_count, offset;
    int ndim, n_strides;
    int64_t shape[10], strides[10];
};

static void put_tuple(struct df_pickle_writer *out, const int64_t *values, int count)
{
    df_pickle_op(out, '(');
    for (int i = 0; i < count; i++)
        df_pickle_int(out, values[i]);
    df_pickle_op(out, 't');
}

static void put_described(struct df_pickle_writer *out, const char *name, const struct described *tensor)
{
    df_pickle_text(out, name);
    df_pickle_name(out, "torch._utils", "_rebuild_tensor_v2");
    df_pickle_op(out, '(');
    df_pickle_op(out, '(');
    df_pickle_text(out, "storage");
    df_pickle_name(out, "torch", tensor->storage_class);
    df_pickle_text(out, tensor->key);
    df_pickle_text(out, "cuda:3");
    df_pickle_int(out, tensor->storage_count);
    df_pickle_op(out, 't');
    df_pickle_op(out, 'Q');
    df_pickle_int(out, tensor->offset);
    put_tuple(out, tensor->shape, tensor->ndim);
    put_tuple(out, tensor->strides, tensor->n_strides);
    df_pickle_op(out, 't');
    df_pickle_op(out, 'R');
}

static void make_tensors(const struct described *tensors, int count)
{
    static const int16_t storage[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    struct df_pickle_writer out = {0};
    df_pickle_protocol(&out, 2);
    df_pickle_op(&out, '}');
    df_pickle_op(&out, '(');
    for (int i = 0; i < count; i++)
        put_described(&out, i == 0 ? "a" : i == 1 ? "b" : "c", &tensors[i]);
    df_pickle_op(&out, 'u');
    df_pickle_op(&out, '.');
    assert_int_equal(df_pickle_writer_check(&out), 0);
    make_archive(out.out.bytes, out.out.size, storage, sizeof storage, NULL);
    df_pickle_writer_clear(&out);
}

static void check_values(const struct df_state *state, const char *name, const int16_t *values, size_t count,
                         bool in_place)
{
    const struct df_entry *entry = df_state_find(state, name);
    assert_non_null(entry);
    assert_int_equal(entry->tensor.count, count);
    assert_memory_equal(entry->tensor.data, values, count * sizeof *values);
    assert_int_equal(entry->owned == NULL, in_place);
}

static void test_layouts(void **unused)
{
    static const struct described views[] = {
        {"ShortStorage", "0", 12, 4, 2, 2, {2, 3}, {3, 1}},             /* a part of a shared storage */
        {"ShortStorage", "0", 12, 0, 2, 2, {4, 3}, {1, 4}},             /* transposed */
        {"ShortStorage", "0", 12, 1, 4, 4, {3, 2, 1, 1}, {2, 1, 7, 9}}, /* strides of 1-sized dimensions do
                                                                           not count */
    };
    make_tensors(views, 3);
    struct df_state *state = read_weights(made());
    check_values(state, "a", (const int16_t[]){4, 5, 6, 7, 8, 9}, 6, true);
    check_values(state, "b", (const int16_t[]){0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}, 12, false);
    check_values(state, "c", (const int16_t[]){1, 2, 3, 4, 5, 6}, 6, true);
    df_state_free(state);

    static const struct described more[] = {
        {"ShortStorage", "0", 12, 2, 3, 3, {2, 2, 2}, {1, 0, 3}}, /* expanded, and steps over elements */
        {"ShortStorage", "0", 12, 99, 2, 2, {5, 0}, {1, 1}},      /* empty: its offset may be anywhere */
        {"ShortStorage", "0", 12, 11, 0, 0, {0}, {0}},            /* a scalar */
    };
    make_tensors(more, 3);
    state = read_weights(made());
    check_values(state, "a", (const int16_t[]){2, 5, 2, 5, 3, 6, 3, 6}, 8, false);
    check_values(state, "b", (const int16_t[]){0}, 0, true);
    check_values(state, "c", (const int16_t[]){11}, 1, true);
    df_state_free(state);
}

static void test_wrong_layouts(void **unused)
{
    static const struct {
        struct described tensor;
        const char *error;
    } wrong[] = {
        {{"ShortStorage", "0", 12, 7, 2, 2, {2, 3}, {3, 1}},
         "a: shape [2, 3] with strides [3, 1] from element 7"},
        {{"ShortStorage", "0", 12, 12, 0, 0, {0}, {0}}, "leaves its storage of 12 elements"},
        {{"ShortStorage", "0", 12, 0, 1, 1, {2}, {INT64_MAX}}, "leaves its storage"},
        {{"ShortStorage", "0", 12, INT64_MAX, 3, 3, {3, 3, 1}, {INT64_MAX, INT64_MAX, 1}},
         "leaves its storage"},
        {{"ShortStorage", "0", 12, 0, 3, 3, {1LL << 31, 1LL << 31, 4}, {0, 0, 0}}, "is impossible"},
        {{"DoubleStorage", "0", 3, 0, 1, 1, {1LL << 40}, {0}}, "over the limit"},
        {{"ShortStorage", "0", 12, 0, 1, 1, {2}, {-1}}, "stride 0 is not a number from 0"},
        {{"ShortStorage", "0", 12, 0, 1, 1, {-2}, {1}}, "dimension 0 is not a number from 0"},
        {{"ShortStorage", "0", 12, -1, 1, 1, {2}, {1}}, "not described as PyTorch describes a tensor"},
        {{"ShortStorage", "0", -1, 0, 1, 1, {2}, {1}}, "its storage is not described"},
        {{"ShortStorage", "0", 12, 0, 2, 1, {2, 3}, {3}}, "2 dimensions, but 1 strides"},
        {{"ShortStorage", "0", 12, 0, 9, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {0}}, "9 dimensions, at most 8"},
        {{"ShortStorage", "0", 13, 0, 1, 1, {2}, {1}}, "data/0 has 24 bytes, expected 13 elements of 2"},
        {{"FloatStorage", "0", 12, 0, 1, 1, {2}, {1}}, "data/0 has 24 bytes, expected 12 elements of 4"},
        {{"ShortStorage", "1", 12, 0, 1, 1, {2}, {1}}, "its storage data/1 is not in the archive"},
        {{"ComplexFloatStorage", "0", 3, 0, 1, 1, {2}, {1}}, "pickle names torch.ComplexFloatStorage"},
        {{"Size", "0", 12, 0, 1, 1, {2}, {1}}, "its storage is not described"},
        {{"float32", "0", 12, 0, 1, 1, {2}, {1}}, "its storage is not described"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        make_tensors(&wrong[i].tensor, 1);
        assert_weights_refused(made(), wrong[i].error);
    }
    static const struct described twice[] = {{"ShortStorage", "0", 12, 0, 0, 0, {0}, {0}},
                                             {"ShortStorage", "0", 12, 0, 0, 0, {0}, {0}},
                                             {"ShortStorage", "0", 12, 0, 0, 0, {0}, {0}},
                                             {"ShortStorage", "0", 12, 0, 0, 0, {0}, {0}}};
    make_tensors(twice, 4);
    assert_weights_refused(made(), "c is there twice");
}

#define MAKE(pickle, extra) make_archive(pickle, sizeof pickle - 1, "", 0, extra)

static void check_pickle_refused(const void *pickle, size_t size, const char *expected)
{
    make_archive(pickle, size, "", 0, NULL);
    assert_weights_refused(made(), expected);
}

/* How a pickle of that protocol begins. */
#define P2 "\x80\x02"

#define REFUSED(pickle, expected) check_pickle_refused(pickle, sizeof pickle - 1, expected)

static void test_plain_data(void **unused)
{
    MAKE("\x80\x02}(U\x04nameU\x03vitK\x07}(U\x01xU\x01yNU\x01z\x88U\x04trueuU\x05"
         "epochK\x03U\x04list]K\x01"
         "a"
         "K\x01\x85U\x01tU\x03nulU\x03"
         "a\0bU\x04typectorch\nfloat16\nu.",
         NULL);
    struct df_state *state = read_weights(made());
    assert_int_equal(state->count, 4);
    assert_string_equal(df_state_find(state, "name")->text, "vit");
    assert_string_equal(df_state_find(state, "7.x")->text, "y");
    assert_string_equal(df_state_find(state, "7.None")->text, "z");
    assert_string_equal(df_state_find(state, "7.True")->text, "true");
    assert_int_equal(state->ignored, 5); /* epoch, list, the key that is a tuple, nul, type */
    df_state_free(state);
}

static void test_hostile_pickles(void **unused)
{
    REFUSED(P2 "cposix\nsystem\nU\x02ls\x85R.", "pickle names posix.system");
    REFUSED(P2 "]K\x01"
               "a.",
            "holds a single list, expected a dict of tensors");
    REFUSED(P2 "ctorch._utils\n_rebuild_tensor_v2\n)R.", "holds a single tensor");
    REFUSED(P2 "}U\x01w"
               "ctorch._utils\n_rebuild_tensor_v2\n)Rs.",
            "w: not described as");
    REFUSED(P2 "}U\x01w"
               "ctorch._utils\n_rebuild_parameter\n)Rs.",
            "w: a parameter that holds no tensor");
    REFUSED(P2 "}U\x03"
               "a\0bNs.",
            "NUL");
    REFUSED(P2 "}U\x03"
               "a\nb"
               "ctorch._utils\n_rebuild_tensor_v2\n)Rs.",
            "a?b: not described");
    REFUSED(P2 "}q\x00U\x01xh\x00s.", "nested more than 64 deep");
}

/* Sixty dicts, each with the one before in two places: 2^60 names. */
static void test_multiplied_dicts(void **unused)
{
    struct df_pickle_writer out = {0};
    df_pickle_protocol(&out, 2);
    df_pickle_op(&out, 'N');
    unsigned inner = df_pickle_memoize(&out);
    df_pickle_op(&out, '0');
    for (int i = 0; i < 60; i++) {
        df_pickle_op(&out, '}');
        df_pickle_op(&out, '(');
        for (int side = 0; side < 2; side++) {
            df_pickle_int(&out, side);
            df_pickle_get(&out, inner);
        }
        df_pickle_op(&out, 'u');
        inner = df_pickle_memoize(&out);
        if (i < 59)
            df_pickle_op(&out, '0');
    }
    df_pickle_op(&out, '.');
    check_pickle_refused(out.out.bytes, out.out.size, "more than 1048576 items");
    df_pickle_writer_clear(&out);
}

/* One text of a megabyte under a hundred names. */
static void test_multiplied_text(void **unused)
{
    struct df_pickle_writer out = {0};
    char *text = malloc((1 << 20) + 1);
    assert_non_null(text);
    memset(text, 't', 1 << 20);
    text[1 << 20] = '\0';
    df_pickle_protocol(&out, 2);
    df_pickle_text(&out, text);
    unsigned number = df_pickle_memoize(&out);
    df_pickle_op(&out, '}');
    df_pickle_op(&out, '(');
    for (int i = 0; i < 100; i++) {
        df_pickle_int(&out, i);
        df_pickle_get(&out, number);
    }
    df_pickle_op(&out, 'u');
    df_pickle_op(&out, '.');
    check_pickle_refused(out.out.bytes, out.out.size, "more than 16777216 bytes of text");
    df_pickle_writer_clear(&out);
    free(text);
}

static void test_long_names(void **unused)
{
    struct df_pickle_writer out = {0};
    char name[1025];
    memset(name, 'n', 1024);
    name[1024] = '\0';
    df_pickle_protocol(&out, 2);
    df_pickle_op(&out, '}');
    df_pickle_text(&out, name);
    df_pickle_op(&out, '}');
    df_pickle_op(&out, 's');
    df_pickle_op(&out, '.');
    check_pickle_refused(out.out.bytes, out.out.size, "longer than 1023 bytes");
    df_pickle_writer_clear(&out);
}

static void test_other_archives(void **unused)
{
    static const unsigned char legacy[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20,
                                           0x6a, 0xa8, 0x50, 0x19, 0x2e, 0x80, 0x02, 0x4d, 0xe9, 0x03};
    const struct extra big = {"r/byteorder", "big"}, little = {"r/byteorder", "little"};
    const struct extra script = {"r/constants.pkl", "x"}, second = {"s/data.pkl", "x"};

    MAKE("\x80\x02}.", &big);
    assert_weights_refused(made(), "byteorder is not \"little\"");
    MAKE("\x80\x02}.", &script);
    assert_weights_refused(made(), "a TorchScript archive");
    MAKE("\x80\x02}.", &second);
    assert_weights_refused(made(), "more than one FOLDER/data.pkl");
    MAKE("\x80\x02}.", &little);
    df_state_free(read_weights(made()));

    assert_int_equal(df_atomic_write(made(), legacy, sizeof legacy), 0);
    assert_weights_refused(made(), "PyTorch before 1.6");
    assert_int_equal(df_atomic_write(made(), "PK\3\4hello", 9), 0);
    assert_weights_refused(made(), "not a zip archive");
    assert_weights_refused("no_such_file.pt", "no_such_file.pt");
}

/* Damaged files are refused, or give a state that can be read throughout. */
static void test_damaged_files(void **unused)
{
    struct df_mapping *mapping = df_mapping_open(DINOFT_FIXTURES "/dinov2_tiny/init_lora_linear.pt");
    struct df_rng rng;
    assert_non_null(mapping);
    unsigned char *damaged = malloc(mapping->size);
    assert_non_null(damaged);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(df_atomic_write(made(), mapping->bytes, mapping->size * (size_t)i / 100), 0);
        assert_null(df_weight_file_read(made(), NULL));
    }
    df_rng_seed(&rng, 3, 0);
    for (int i = 0; i < 300; i++) {
        memcpy(damaged, mapping->bytes, mapping->size);
        /* half of them near the end, where the directory is */
        size_t range = i % 2 ? 1500 : mapping->size;
        for (int flips = 1 + i % 3; flips > 0; flips--)
            damaged[mapping->size - 1 - df_rng_below(&rng, range)] ^=
                (unsigned char)(1 + df_rng_below(&rng, 255));
        assert_int_equal(df_atomic_write(made(), damaged, mapping->size), 0);
        read_throughout(made());
    }
    free(damaged);
    df_mapping_close(mapping);
}

/* Damage inside the pickle, with a CRC that is right. */
static void test_damaged_pickles(void **unused)
{
    static const unsigned char storage[10752];
    char bias_bytes[85];
    const struct extra bias = {"r/data/1", bias_bytes};
    memset(bias_bytes, 'x', 84);
    bias_bytes[84] = '\0';
    struct df_mapping *mapping = df_mapping_open(DINOFT_FIXTURES "/dinov2_tiny/init_linear.pt");
    assert_non_null(mapping);
    struct df_zip *zip = df_zip_open(mapping);
    const struct df_zip_entry *entry = df_zip_find(zip, "init_linear/data.pkl");
    const void *pickle;
    void *owned;
    assert_int_equal(df_zip_read(zip, entry, 0, &pickle, &owned), 0);
    unsigned char *damaged = malloc(entry->size);
    assert_non_null(damaged);
    struct df_rng rng;
    df_rng_seed(&rng, 4, 0);
    for (int i = 0; i < 600; i++) {
        memcpy(damaged, pickle, entry->size);
        for (int flips = 1 + i % 3; flips > 0; flips--)
            damaged[df_rng_below(&rng, entry->size)] = (unsigned char)df_rng_below(&rng, 256);
        make_archive(damaged, entry->size, storage, sizeof storage, &bias);
        read_throughout(made());
    }
    free(damaged);
    df_zip_close(zip);
    df_mapping_close(mapping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),          cmocka_unit_test(test_wrong_layouts),
        cmocka_unit_test(test_plain_data),       cmocka_unit_test(test_hostile_pickles),
        cmocka_unit_test(test_multiplied_dicts), cmocka_unit_test(test_multiplied_text),
        cmocka_unit_test(test_long_names),       cmocka_unit_test(test_other_archives),
        cmocka_unit_test(test_damaged_files),    cmocka_unit_test(test_damaged_pickles),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
