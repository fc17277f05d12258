/* The pickle reader on what Python writes, on what an attacker might, and on damaged bytes; the pickle
 * writer. */
#include "support/errors.h"

#include "src/files/pickle.h"
#include "src/files/zip.h"

#include "dinoft/error.h"
#include "dinoft/mapped_file.h"
#include "dinoft/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct df_pickle_global globals[] = {
    {"collections", "OrderedDict", DF_CALL_DICT, 1},
    {"torch", "Size", DF_CALL_TUPLE, 2},
    {"torch._utils", "_rebuild_tensor_v2", DF_CALL_KEPT, 3},
    {"torch", "FloatStorage", DF_CALL_REFUSED, 4},
    {"torch", "LongStorage", DF_CALL_REFUSED, 5},
    {"torch._utils", "_rebuild_parameter", DF_CALL_KEPT, 6},
    {NULL, NULL, DF_CALL_REFUSED, 0},
};

struct text {
    char bytes[2048];
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    size_t left = sizeof text->bytes - text->length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->length, left, format, arguments);
    va_end(arguments);
    text->length += (size_t)length < left ? (size_t)length : left - 1;
}

static void describe(struct text *text, const struct df_pickle_value *value, int depth);

static void describe_items(struct text *text, const struct df_pickle_value *value, int depth,
                           const char *brackets)
{
    add(text, "%c", brackets[0]);
    for (size_t i = 0; i < value->sequence.count && text->length < sizeof text->bytes - 1; i++) {
        bool is_value = value->kind == DF_PICKLE_DICT && i % 2 == 1;
        add(text, "%s", is_value ? ":" : i ? "," : "");
        describe(text, value->sequence.items[i], depth + 1);
    }
    add(text, "%c", brackets[1]);
}

/* Like Python's repr, cut where it gets too deep or too long. */
static void describe(struct text *text, const struct df_pickle_value *value, int depth)
{
    if (depth > 5) {
        add(text, "...");
        return;
    }
    switch (value->kind) {
    case DF_PICKLE_NONE:
        add(text, "None");
        break;
    case DF_PICKLE_BOOL:
        add(text, "%s", value->integer ? "True" : "False");
        break;
    case DF_PICKLE_INT:
        add(text, "%" PRId64, value->integer);
        break;
    case DF_PICKLE_FLOAT:
        add(text, "%g", value->real);
        break;
    case DF_PICKLE_TEXT:
    case DF_PICKLE_BYTES:
        add(text, "%s'%.*s'", value->kind == DF_PICKLE_BYTES ? "b" : "", (int)value->text.length,
            value->text.bytes);
        break;
    case DF_PICKLE_LIST:
        describe_items(text, value, depth, "[]");
        break;
    case DF_PICKLE_TUPLE:
        describe_items(text, value, depth, "()");
        break;
    case DF_PICKLE_DICT:
        describe_items(text, value, depth, "{}");
        break;
    case DF_PICKLE_GLOBAL:
        add(text, "%s", value->global->name);
        break;
    case DF_PICKLE_CALL:
        add(text, "%s", value->call.function->name);
        describe(text, value->call.arguments, depth + 1);
        break;
    case DF_PICKLE_PERSISTENT:
        add(text, "@");
        describe(text, value->persistent, depth + 1);
        break;
    }
}

/* Reads a copy of exactly these bytes, so that the sanitizer sees every access behind them. */
static bool read_copy(const void *bytes, size_t size, struct text *text)
{
    unsigned char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    struct df_pickle *pickle = df_pickle_read(copy, size, globals);
    bool readable = pickle != NULL;
    text->length = 0;
    text->bytes[0] = '\0';
    if (readable)
        describe(text, df_pickle_root(pickle), 0);
    df_pickle_free(pickle);
    free(copy);
    return readable;
}

static void check_value(const void *bytes, size_t size, const char *expected)
{
    struct text text;
    if (!read_copy(bytes, size, &text))
        fail_msg("expected %s, got the error \"%s\"", expected, df_error_text());
    assert_string_equal(text.bytes, expected);
}

static void check_refusal(const void *bytes, size_t size, const char *expected)
{
    struct text text;
    if (read_copy(bytes, size, &text))
        fail_msg("expected an error with \"%s\", got %s", expected, text.bytes);
    assert_error_has(expected);
}

/* How a pickle of that protocol begins. */
#define P2 "\x80\x02"
#define P4 "\x80\x04"
#define P5 "\x80\x05"

/* For string literals that hold a pickle without its final NUL. */
#define VALUE(pickle, expected)   check_value(pickle, sizeof pickle - 1, expected)
#define REFUSED(pickle, expected) check_refusal(pickle, sizeof pickle - 1, expected)

/* pickle.dumps({'a': [1, -2, 70000, 2**40, -2**40, 2.5, None, True, False], 'b': ('x', (1, 2), (1, 2, 3), (1,
 * 2, 3, 4),
 * ()), 3: {'é': b'z'}, 'd': OrderedDict(k=300)}, protocol); protocol 2 has no bytes, so there it is 'z'. */
static const unsigned char protocol2[] = {
    0x80, 0x02, 0x7d, 0x71, 0x00, 0x28, 0x58, 0x01, 0x00, 0x00, 0x00, 0x61, 0x71, 0x01, 0x5d, 0x71, 0x02,
    0x28, 0x4b, 0x01, 0x4a, 0xfe, 0xff, 0xff, 0xff, 0x4a, 0x70, 0x11, 0x01, 0x00, 0x8a, 0x06, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x8a, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x47, 0x40, 0x04, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x4e, 0x88, 0x89, 0x65, 0x58, 0x01, 0x00, 0x00, 0x00, 0x62, 0x71, 0x03, 0x28,
    0x58, 0x01, 0x00, 0x00, 0x00, 0x78, 0x71, 0x04, 0x4b, 0x01, 0x4b, 0x02, 0x86, 0x71, 0x05, 0x4b, 0x01,
    0x4b, 0x02, 0x4b, 0x03, 0x87, 0x71, 0x06, 0x28, 0x4b, 0x01, 0x4b, 0x02, 0x4b, 0x03, 0x4b, 0x04, 0x74,
    0x71, 0x07, 0x29, 0x74, 0x71, 0x08, 0x4b, 0x03, 0x7d, 0x71, 0x09, 0x58, 0x02, 0x00, 0x00, 0x00, 0xc3,
    0xa9, 0x71, 0x0a, 0x58, 0x01, 0x00, 0x00, 0x00, 0x7a, 0x71, 0x0b, 0x73, 0x58, 0x01, 0x00, 0x00, 0x00,
    0x64, 0x71, 0x0c, 0x63, 0x63, 0x6f, 0x6c, 0x6c, 0x65, 0x63, 0x74, 0x69, 0x6f, 0x6e, 0x73, 0x0a, 0x4f,
    0x72, 0x64, 0x65, 0x72, 0x65, 0x64, 0x44, 0x69, 0x63, 0x74, 0x0a, 0x71, 0x0d, 0x29, 0x52, 0x71, 0x0e,
    0x58, 0x01, 0x00, 0x00, 0x00, 0x6b, 0x71, 0x0f, 0x4d, 0x2c, 0x01, 0x73, 0x75, 0x2e,
};
static const unsigned char protocol4[] = {
    0x80, 0x04, 0x95, 0x95, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7d, 0x94, 0x28, 0x8c, 0x01,
    0x61, 0x94, 0x5d, 0x94, 0x28, 0x4b, 0x01, 0x4a, 0xfe, 0xff, 0xff, 0xff, 0x4a, 0x70, 0x11, 0x01,
    0x00, 0x8a, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x8a, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xff, 0x47, 0x40, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x4e, 0x88, 0x89, 0x65, 0x8c, 0x01,
    0x62, 0x94, 0x28, 0x8c, 0x01, 0x78, 0x94, 0x4b, 0x01, 0x4b, 0x02, 0x86, 0x94, 0x4b, 0x01, 0x4b,
    0x02, 0x4b, 0x03, 0x87, 0x94, 0x28, 0x4b, 0x01, 0x4b, 0x02, 0x4b, 0x03, 0x4b, 0x04, 0x74, 0x94,
    0x29, 0x74, 0x94, 0x4b, 0x03, 0x7d, 0x94, 0x8c, 0x02, 0xc3, 0xa9, 0x94, 0x43, 0x01, 0x7a, 0x94,
    0x73, 0x8c, 0x01, 0x64, 0x94, 0x8c, 0x0b, 0x63, 0x6f, 0x6c, 0x6c, 0x65, 0x63, 0x74, 0x69, 0x6f,
    0x6e, 0x73, 0x94, 0x8c, 0x0b, 0x4f, 0x72, 0x64, 0x65, 0x72, 0x65, 0x64, 0x44, 0x69, 0x63, 0x74,
    0x94, 0x93, 0x94, 0x29, 0x52, 0x94, 0x8c, 0x01, 0x6b, 0x94, 0x4d, 0x2c, 0x01, 0x73, 0x75, 0x2e,
};

static void test_what_python_writes(void **state)
{
    check_value(protocol2, sizeof protocol2,
                "{'a':[1,-2,70000,1099511627776,-1099511627776,2.5,None,True,False],"
                "'b':('x',(1,2),(1,2,3),(1,2,3,4),()),3:{'\u00e9':'z'},'d':{'k':300}}");
    check_value(protocol4, sizeof protocol4,
                "{'a':[1,-2,70000,1099511627776,-1099511627776,2.5,None,True,False],"
                "'b':('x',(1,2),(1,2,3),(1,2,3,4),()),3:{'\u00e9':b'z'},'d':{'k':300}}");
}

static void test_single_opcodes(void **state)
{
    VALUE(P2 "N.", "None");
    VALUE(P5 "K\x05.", "5");
    VALUE(P2 "\x8a\x00.", "0");
    VALUE(P2 "\x8a\x01\xff.", "-1");
    VALUE(P2 "\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", "-9223372036854775808");
    VALUE(P2 "(K\x01K\x02l.", "[1,2]");
    VALUE(P2 "(K\x01K\x02"
             "d.",
          "{1:2}");
    VALUE(P2 "]q\x00(K\x01h\x00"
             "e0h\x00K\x02"
             "a.",
          "[1,[1,[1,[1,[1,[...,...,...],2],2],2],2],2]");
    VALUE(P2 "K\x07"
             "2\x86.",
          "(7,7)");
    VALUE(P2 "K\x07(K\x01K\x02"
             "1.",
          "7");
    VALUE(P2 "U\x02hi.", "'hi'");
    VALUE(P2 "T\x02\x00\x00\x00hi.", "'hi'");
    VALUE(P4 "\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi.", "'hi'");
    VALUE(P4 "\x8e\x02\x00\x00\x00\x00\x00\x00\x00\xff\xfe.", "b'\xff\xfe'");
    VALUE(P2 "B\x01\x00\x00\x00z.", "b'z'");
    VALUE(P2 "ctorch\nSize\nK\x02K\x03\x86\x85R.", "(2,3)");
    VALUE(P2 "X\x01\x00\x00\x00kQ.", "@'k'");
    VALUE(P4 "\x8c\x05torch\x8c\x0c"
             "FloatStorage\x93.",
          "FloatStorage");
    VALUE(P2 "ccollections\nOrderedDict\n)R}X\x09\x00\x00\x00_metadataNsb.", "{}");
    VALUE(P2 "ctorch._utils\n_rebuild_tensor_v2\n)R.", "_rebuild_tensor_v2()");
    VALUE(P2 "N. what follows the end is not looked at", "None");
}

static void test_refuses_foreign_functions(void **state)
{
    REFUSED(P2 "cos\nsystem\nX\x02\x00\x00\x00ls\x85R.",
            "pickle names os.system, which is neither a tensor nor plain data: refused");
    REFUSED(P4 "\x8c\x08"
               "builtins\x8c\x04"
               "eval\x93.",
            "pickle names builtins.eval");
    REFUSED(P2 "cargparse\nNamespace\n)R.", "argparse.Namespace");
    REFUSED(P2 "ctorch\nFloatStorage\nK\x01\x85R.", "calls torch.FloatStorage with 1 arguments");
    REFUSED(P2 "ccollections\nOrderedDict\nN\x85R.", "calls collections.OrderedDict");
    REFUSED(P2 "ctorch\nSize\nN\x85R.", "calls torch.Size");
    REFUSED(P2 "cos\x01\nsys\ttem\n.", "names os?.sys?tem");
    REFUSED(P2 "cos\nsystem", "cut short");
    REFUSED(P2 "(cos\nsystem\no.", "names os.system");
    REFUSED(P2 "(ios\nsystem\n.", "opcode 0x69 at byte 3");
    REFUSED(P2 ")\x81.", "opcode 0x81 at byte 3");
    REFUSED(P2 "N)R.", "a call of what is no function");
    REFUSED(P2 "]NR.", "a call of what is no function");
    REFUSED(P2 "]Nb.", "a state set on what is no dict");
    REFUSED(P4 "NN\x93.", "whose name is no text");
}

static void test_refuses_misuse_of_the_stack(void **state)
{
    REFUSED("", "protocol 2 to 5");
    REFUSED("\x80", "protocol 2 to 5");
    REFUSED("\x80\x06N.", "protocol 2 to 5");
    REFUSED("(lp0\n.", "protocol 2 to 5");
    REFUSED(P2 "N", "cut short");
    REFUSED(P2 ".", "a value is missing on the stack at byte 2");
    REFUSED(P2 "(.", "a value is missing");
    REFUSED(P2 "(q\x00.", "a value is missing");
    REFUSED(P2 "0.", "a value is missing");
    REFUSED(P2 "t.", "a mark is missing");
    REFUSED(P2 "K\x01\x86.", "a value is missing");
    REFUSED(P2 "K\x01(\x85.", "a value is missing");
    REFUSED(P2 "}(K\x01u.", "a dict's key without a value");
    REFUSED(P2 "}K\x01"
               "a.",
            "appended to what is no list");
    REFUSED(P2 "]K\x01K\x01s.", "set in what is no dict");
}

static void test_refuses_numbers_out_of_range(void **state)
{
    REFUSED(P2 "h\x00.", "never given");
    REFUSED(P2 "j\xff\xff\xff\xff.", "never given");
    REFUSED(P2 "Nr\xff\xff\xff\xff.", "out of range");
    REFUSED(P2 "Nr\x05\x00\x00\x00j\x04\x00\x00\x00.", "never given");
    REFUSED(P2 "X\xff\xff\xff\xff"
               "abc.",
            "cut short");
    REFUSED(P4 "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
               "abc.",
            "cut short");
    REFUSED(P2 "T\xff\xff\xff\xff"
               "abc.",
            "cut short");
    REFUSED(P4 "\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "cut short");
    REFUSED(P2 "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", "more than 64 bits");
    REFUSED(P2 "\x8a\xff.", "more than 64 bits");
    REFUSED(P4 "\x8cK\x93.", "cut short");
}

static void test_utf8(void **state)
{
    VALUE(P2 "U\x04\xf0\x9f\xa6\x95.", "'\xf0\x9f\xa6\x95'");
    REFUSED(P2 "U\x01\xff.", "not UTF-8");
    REFUSED(P2 "U\x02\xc0\x80.", "not UTF-8");
    REFUSED(P2 "U\x03\xed\xa0\x80.", "not UTF-8");
    REFUSED(P2 "U\x02\xe2\x82.", "not UTF-8");
    REFUSED(P2 "U\x04\xf4\x90\x80\x80.", "not UTF-8");
    REFUSED(P2 "U\x04\xf0\x8f\xbf\xbf.", "not UTF-8");
}

/* `count` times the same opcodes between a beginning and an end. */
static bool read_repeated(const char *start, const char *repeated, size_t repeated_size, size_t count,
                          const char *end)
{
    size_t start_size = 2 + strlen(start), end_size = strlen(end);
    size_t size = start_size + count * repeated_size + end_size;
    unsigned char *pickle = malloc(size);
    struct text text;
    assert_non_null(pickle);
    pickle[0] = 0x80;
    pickle[1] = 2;
    memcpy(pickle + 2, start, start_size - 2);
    for (size_t i = 0; i < count; i++)
        memcpy(pickle + start_size + i * repeated_size, repeated, repeated_size);
    memcpy(pickle + size - end_size, end, end_size);
    bool readable = read_copy(pickle, size, &text);
    free(pickle);
    return readable;
}

static void test_bombs(void **state)
{
    /* tuples in tuples, a million deep: no recursion */
    assert_true(read_repeated(")", "\x85", 1, 1000000, "."));
    /* every level holds the one before twice: 2^100000 leaves to who walks them all, little to build */
    assert_true(read_repeated(")", "2\x86", 2, 100000, "."));
    assert_true(read_repeated("", "(", 1, 1000000, "N."));
    assert_true(read_repeated("N", "2", 1, 1000000, "."));
    /* more values than the limit on memory */
    assert_false(read_repeated("", "]", 1, (size_t)8 << 20, "."));
    assert_error_has("its values need more than");
}

/* The pickle of a real checkpoint; the caller frees it. */
static unsigned char *load_fixture(size_t *size)
{
    struct df_mapping *mapping = df_mapping_open(DINOFT_FIXTURES "/dinov2_tiny_reg/after5_lora_fpn.pt");
    assert_non_null(mapping);
    struct df_zip *zip = df_zip_open(mapping);
    assert_non_null(zip);
    const struct df_zip_entry *entry = df_zip_find(zip, "after5_lora_fpn/data.pkl");
    const void *bytes;
    void *owned;
    assert_int_equal(df_zip_read(zip, entry, 0, &bytes, &owned), 0);
    unsigned char *copy = malloc(entry->size);
    assert_non_null(copy);
    memcpy(copy, bytes, entry->size);
    *size = entry->size;
    df_zip_close(zip);
    df_mapping_close(mapping);
    return copy;
}

static void test_damage(void **state)
{
    size_t size;
    unsigned char *pickle = load_fixture(&size);
    struct text text;
    struct df_rng rng;

    for (size_t length = 0; length < size; length += 1 + length / 64)
        assert_false(read_copy(pickle, length, &text));
    df_rng_seed(&rng, 2, 0);
    for (int i = 0; i < 3000; i++) {
        unsigned char *damaged = malloc(size);
        assert_non_null(damaged);
        memcpy(damaged, pickle, size);
        for (int flips = 1 + i % 4; flips > 0; flips--)
            damaged[df_rng_below(&rng, size)] = (unsigned char)df_rng_below(&rng, 256);
        if (!read_copy(damaged, size, &text))
            assert_error_has("pickle");
        free(damaged);
    }
    free(pickle);
}

static void test_writer(void **state)
{
    static const int64_t numbers[] = {0,
                                      255,
                                      256,
                                      65535,
                                      65536,
                                      -1,
                                      INT32_MAX,
                                      INT32_MIN,
                                      1LL << 31,
                                      -(1LL << 31) - 1,
                                      1LL << 39,
                                      (1LL << 39) - 1,
                                      -(1LL << 39),
                                      1LL << 55,
                                      INT64_MAX,
                                      INT64_MIN};
    struct df_pickle_writer writer = {0};
    struct text expected = {0};

    df_pickle_protocol(&writer, 2);
    df_pickle_op(&writer, '(');
    add(&expected, "(");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        df_pickle_int(&writer, numbers[i]);
        add(&expected, "%" PRId64 ",", numbers[i]);
    }
    for (int i = 0; i < 300; i++) {
        df_pickle_text(&writer, i == 7 ? "seven" : "");
        assert_int_equal(df_pickle_memoize(&writer), i);
        df_pickle_op(&writer, '0');
    }
    df_pickle_get(&writer, 7);
    df_pickle_get(&writer, 299);
    df_pickle_name(&writer, "torch", "FloatStorage");
    df_pickle_op(&writer, 't');
    df_pickle_op(&writer, '.');
    add(&expected, "'seven','',FloatStorage)");
    assert_int_equal(df_pickle_writer_check(&writer), 0);
    check_value(writer.out.bytes, writer.out.size, expected.bytes);
    df_pickle_writer_clear(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_python_writes),
        cmocka_unit_test(test_single_opcodes),
        cmocka_unit_test(test_refuses_foreign_functions),
        cmocka_unit_test(test_refuses_misuse_of_the_stack),
        cmocka_unit_test(test_refuses_numbers_out_of_range),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
