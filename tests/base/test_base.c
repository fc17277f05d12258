#include "support/cmocka_all.h"

#include "dinoft/available.h"
#include "dinoft/clock.h"
#include "dinoft/digest.h"
#include "dinoft/dtype.h"
#include "dinoft/error.h"
#include "dinoft/median.h"
#include "dinoft/rng.h"
#include "dinoft/size.h"
#include "dinoft/text.h"
#include "src/base/ziggurat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void errors_keep_the_last_text_and_its_context(void **state)
{
    assert_int_equal(df_error_set("found %d, expected %d", 3, 4), -1);
    assert_string_equal(df_error_text(), "found 3, expected 4");
    assert_int_equal(df_error_context("%s", "file.pt"), -1);
    assert_string_equal(df_error_text(), "file.pt: found 3, expected 4");
}

static void errors_are_one_line_of_text(void **state)
{
    df_error_set("no tensor '%s'", "a\nb\033[31m\x7f");
    assert_string_equal(df_error_text(), "no tensor 'a?b?[31m?'");
    df_error_context("%s", "x\ty");
    assert_string_equal(df_error_text(), "x?y: no tensor 'a?b?[31m?'");
}

static void long_errors_are_cut_not_overrun(void **state)
{
    char text[3 * DF_ERROR_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    df_error_set("%s", text);
    assert_int_equal(strlen(df_error_text()), DF_ERROR_TEXT_MAX - 1);
    df_error_context("%s", text);
    assert_true(strlen(df_error_text()) < DF_ERROR_TEXT_MAX);
    df_error_set("short");
    df_error_context("%s", "where");
    assert_string_equal(df_error_text(), "where: short");
}

static void lack_of_memory_is_told_apart(void **state)
{
    df_error_memory("a list", 12);
    assert_string_equal(df_error_text(), "out of memory: a list needs 12 bytes");
    df_error_memory("a list", 0);
    assert_string_equal(df_error_text(), "out of memory: a list");
    assert_true(df_error_is_memory());
    df_error_context("%s", "file.pt");
    assert_true(df_error_is_memory());
    df_error_set("another");
    assert_false(df_error_is_memory());
}

/* Every half is exactly a float, and comes back from it. */
static void all_halves_survive_a_round_trip(void **state)
{
    for (uint32_t bits = 0; bits < 65536; bits++) {
        float value = df_f16_to_f32((uint16_t)bits);
        if (isnan(value))
            assert_true(isnan(df_f16_to_f32(df_f32_to_f16(value))));
        else
            assert_int_equal(df_f32_to_f16(value), bits);
        float wide = df_bf16_to_f32((uint16_t)bits);
        if (isnan(wide))
            assert_true(isnan(df_bf16_to_f32(df_f32_to_bf16(wide))));
        else
            assert_int_equal(df_f32_to_bf16(wide), bits);
    }
}

static void halves_round_to_nearest_even(void **state)
{
    assert_int_equal(df_f32_to_f16(1.0f), 0x3c00);
    assert_int_equal(df_f32_to_f16(1.0f + 0x1p-11f), 0x3c00);     /* halfway: to even, down */
    assert_int_equal(df_f32_to_f16(1.0f + 3 * 0x1p-11f), 0x3c02); /* halfway: to even, up */
    assert_int_equal(df_f32_to_f16(65504.0f), 0x7bff);
    assert_int_equal(df_f32_to_f16(65519.0f), 0x7bff);
    assert_int_equal(df_f32_to_f16(65520.0f), 0x7c00);   /* infinity */
    assert_int_equal(df_f32_to_f16(-0x1p-25f), 0x8000);  /* halfway to the smallest: zero */
    assert_int_equal(df_f32_to_f16(2047.9999f), 0x6800); /* carries into the exponent */
    assert_int_equal(df_f32_to_bf16(1.0f + 0x1p-8f), 0x3f80);
    assert_int_equal(df_f32_to_bf16(1.0f + 3 * 0x1p-8f), 0x3f82);
    assert_int_equal(df_f32_to_bf16(3.4e38f), 0x7f80);
}

static void floating_point_types_are_told_apart(void **state)
{
    for (int dtype = 0; dtype < DF_DTYPE_COUNT; dtype++) {
        bool is_float = strstr(df_dtype_name((enum df_dtype)dtype), "float") != NULL;
        assert_true(df_dtype_is_float((enum df_dtype)dtype) == is_float);
    }
}

static void types_convert_by_value(void **state)
{
    const int64_t wide[2] = {-3, 1000000};
    const uint8_t flags[2] = {0, 7};
    float values[2];
    df_convert_to_f32(values, wide, DF_I64, 2);
    assert_true(values[0] == -3.0f && values[1] == 1e6f);
    df_convert_to_f32(values, flags, DF_BOOL, 2);
    assert_true(values[0] == 0.0f && values[1] == 1.0f);
    assert_int_equal(df_convert_from_f32(values, DF_I64, values, 1), -1);
}

static void sizes_do_not_wrap(void **state)
{
    size_t result;
    assert_true(df_size_mul(1u << 20, 1u << 20, &result));
    assert_int_equal(result, (size_t)1 << 40);
    assert_false(df_size_mul(SIZE_MAX / 2, 3, &result));
    assert_false(df_size_add(SIZE_MAX, 1, &result));
    assert_true(df_shape_count((const int64_t[]){3, 0, 5}, 3, &result));
    assert_int_equal(result, 0);
    assert_false(df_shape_count((const int64_t[]){3, -1}, 2, &result));
    assert_false(df_shape_count((const int64_t[]){INT64_MAX, 3}, 2, &result));
    assert_true(df_shape_count(NULL, 0, &result));
    assert_int_equal(result, 1);
}

static void streams_differ_and_repeat(void **state)
{
    struct df_rng a, b, c;
    df_rng_seed(&a, 1, 2);
    df_rng_seed(&b, 1, 2);
    df_rng_seed(&c, 1, 3);
    uint64_t first = df_rng_u64(&a);
    assert_true(first == df_rng_u64(&b));
    assert_true(first != df_rng_u64(&c));
}

static void draws_have_the_right_moments(void **state)
{
    struct df_rng rng;
    const int n = 200000;
    double uniform = 0, normal = 0, square = 0;
    df_rng_seed(&rng, 7, df_hash_text("moments"));
    for (int i = 0; i < n; i++) {
        double u = df_rng_uniform(&rng, -1, 3), z = df_rng_normal(&rng);
        assert_true(u >= -1 && u < 3);
        assert_true(df_rng_below(&rng, 7) < 7);
        uniform += u;
        normal += z;
        square += z * z;
    }
    assert_true(fabs(uniform / n - 1.0) < 0.02);
    assert_true(fabs(normal / n) < 0.02);
    assert_true(fabs(square / n - 1.0) < 0.02);
}

/* Four equal ranges, each with a quarter of the values (the deviation of a count is 443). */
static void uniforms_are_uniform(void **state)
{
    enum { COUNT = 1 << 20 };
    int64_t seen[4] = {0};
    struct df_rng rng;
    float *values = malloc(COUNT * sizeof *values);

    assert_non_null(values);
    df_rng_seed(&rng, 5, df_hash_text("uniforms"));
    df_rng_uniforms(&rng, -3.0f, 5.0f, values, COUNT);
    for (int64_t i = 0; i < COUNT; i++) {
        assert_true(values[i] >= -3.0f && values[i] <= 5.0f);
        seen[(int)((values[i] + 3.0f) / 8.0f * 3.9999f)]++;
    }
    for (int range = 0; range < 4; range++)
        assert_true(llabs(seen[range] - COUNT / 4) < 4 * 443);
    df_rng_uniforms(&rng, 0.0f, 1.0f, values, 1);
    const float first = values[0];
    df_rng_uniforms(&rng, 0.0f, 1.0f, values, 1);
    assert_true(first != values[0]);
    free(values);
}

/* The lower and upper ends of nine ranges, and what the normal distribution has in each: erfc(x / sqrt(2)).
 */
static void normals_are_normal(void **state)
{
    enum { COUNT = 1 << 22, RANGES = 9 };
    static const double ends[RANGES + 1] = {0, 0.25, 0.5, 1, 1.5, 2, 2.5, 3.2, 3.7, 40};
    int64_t seen[RANGES] = {0};
    double moments[5] = {0};
    struct df_rng rng;
    float *values = malloc(COUNT * sizeof *values);

    assert_non_null(values);
    df_rng_seed(&rng, 5, df_hash_text("normals"));
    df_rng_normals(&rng, values, COUNT);
    for (int64_t i = 0; i < COUNT; i++) {
        const double value = values[i], size = fabs(value);
        int range = 0;
        for (int power = 1; power <= 4; power++)
            moments[power] += pow(value, power) / COUNT;
        while (size >= ends[range + 1])
            range++;
        seen[range]++;
    }
    free(values);
    for (int range = 0; range < RANGES; range++) {
        const double share = erfc(ends[range] / sqrt(2)) - erfc(ends[range + 1] / sqrt(2));
        const double expected = share * COUNT, deviation = sqrt(expected * (1 - share));
        if (fabs((double)seen[range] - expected) > 4 * deviation)
            fail_msg("%lld values of %g to %g, expected %.0f +- %.0f", (long long)seen[range], ends[range],
                     ends[range + 1], expected, deviation);
    }
    /* The variances of powers 1 to 4 of a normal value are 1, 2, 15 and 96. */
    assert_true(fabs(moments[1]) < 4 * sqrt(1.0 / COUNT));
    assert_true(fabs(moments[2] - 1) < 4 * sqrt(2.0 / COUNT));
    assert_true(fabs(moments[3]) < 4 * sqrt(15.0 / COUNT));
    assert_true(fabs(moments[4] - 3) < 4 * sqrt(96.0 / COUNT));
}

static void many_normals_are_the_single_ones(void **state)
{
    struct df_rng one, many;
    float values[1000];

    df_rng_seed(&one, 1, 2);
    many = one;
    df_rng_normals(&many, values, 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(values[i] == (float)df_rng_normal(&one));
    assert_true(one.state == many.state);
}

/* All layers have the area of the lowest, which the tail belongs to; the first lies where the curve ends. */
static void the_ziggurats_layers_are_equal(void **state)
{
    const double area = ziggurat[1] * exp(-0.5 * ziggurat[1] * ziggurat[1]) +
                        sqrt(acos(-1) / 2) * erfc(ziggurat[1] / sqrt(2));

    assert_true(fabs(ziggurat[0] * exp(-0.5 * ziggurat[1] * ziggurat[1]) - area) < 1e-14);
    for (int i = 1; i < ZIGGURAT_LAYERS; i++) {
        const double low = exp(-0.5 * ziggurat[i] * ziggurat[i]);
        const double high = exp(-0.5 * ziggurat[i + 1] * ziggurat[i + 1]);
        assert_true(fabs(ziggurat[i] * (high - low) - area) < 1e-14);
    }
}

static void permutations_hold_every_index_once(void **state)
{
    struct df_rng rng;
    int64_t order[100], moved = 0;
    int seen[100] = {0};
    df_rng_seed(&rng, 3, 0);
    df_rng_permutation(&rng, order, 100);
    for (int i = 0; i < 100; i++) {
        seen[order[i]]++;
        moved += order[i] != i;
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    assert_true(moved > 80);
}

static void check_path(char *found, const char *expected)
{
    assert_string_equal(found, expected);
    free(found);
}

static void paths_come_apart(void **state)
{
    check_path(df_path_stem("a/b.c.jpg"), "b.c");
    check_path(df_path_stem("plain"), "plain");
    check_path(df_path_stem("x/.hidden"), ".hidden");
    check_path(df_path_folder("a/b/c.pt"), "a/b");
    check_path(df_path_folder("c.pt"), ".");
    check_path(df_path_folder("/c.pt"), "/");
    assert_true(df_text_starts_with("module.x", "module."));
    assert_false(df_text_starts_with("mod", "module."));
    assert_true(df_text_ends_with("a.weight", ".weight"));
    assert_false(df_text_ends_with("t", ".weight"));
}

static void the_nearest_word_is_found(void **state)
{
    const char *const names[] = {"batch_size", "base", "epochs"};
    const char *const sizes[] = {"small", "size", "7b"};
    char endless[2000];
    assert_int_equal(df_text_nearest("bach_size", names, 3), 0);
    assert_int_equal(df_text_nearest("epoch", names, 3), 2);
    assert_int_equal(df_text_nearest("learning_rate_of_it", names, 3), -1);
    assert_int_equal(df_text_nearest("7", sizes, 3), 2);
    assert_int_equal(df_text_nearest("7B", sizes, 3), 2);
    assert_int_equal(df_text_nearest("smal", sizes, 3), 0);
    assert_int_equal(df_text_nearest("xl", sizes, 3),
                     -1); /* nothing in common with 7b, though only two away */
    assert_int_equal(df_text_nearest("mode", sizes, 3), -1);
    assert_int_equal(df_text_nearest("", sizes, 3), -1);
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(df_text_nearest(endless, sizes, 3), -1);
}

static void the_clock_runs_forwards(void **state)
{
    double before = df_seconds();
    assert_true(df_seconds() >= before);
}

static void medians_of_few_and_many(void **state)
{
    double one[] = {7.0}, even[] = {4.0, 1.0, 3.0, 9.0}, odd[] = {5.0, -1.0, 1e9};
    assert_true(df_median(one, 1) == 7.0);
    assert_true(df_median(even, 4) == 3.5);
    assert_true(df_median(odd, 3) == 5.0);
    assert_true(odd[0] == -1.0 && odd[2] == 1e9); /* sorted */
}

/* The values that xxHash's own documentation and tests give. */
static void digests_are_xxh64(void **state)
{
    assert_true(df_digest_of("", 0) == 0xef46db3751d8e999u);
    assert_true(df_digest_of("a", 1) == 0xd24ec4f1a98c6e5bu);
    assert_true(df_digest_of("abc", 3) == 0x44bc2cf5ad770999u);
    const char *longer = "Nobody inspects the spammish repetition";
    assert_true(df_digest_of(longer, strlen(longer)) == 0xfbcea83c8a378bf1u);
}

static void digests_do_not_depend_on_the_pieces(void **state)
{
    unsigned char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37);
    const uint64_t whole = df_digest_of(bytes, sizeof bytes);
    for (size_t piece = 1; piece < sizeof bytes; piece++) {
        struct df_digest digest;
        df_digest_start(&digest);
        for (size_t at = 0; at < sizeof bytes; at += piece)
            df_digest_add(&digest, bytes + at, piece < sizeof bytes - at ? piece : sizeof bytes - at);
        assert_true(df_digest_value(&digest) == whole);
    }
    bytes[150] ^= 1;
    assert_true(df_digest_of(bytes, sizeof bytes) != whole);
}

static void the_machine_has_something_left(void **state)
{
    assert_true(df_available_memory() > 0);
    assert_true(df_available_disk(".") > 0);
    assert_true(df_available_disk("there/is/no/such/folder") == SIZE_MAX);
}

static void assert_code_point(const char *text, size_t left, size_t length, uint32_t expected)
{
    uint32_t code = 0;
    assert_int_equal(df_text_code_point(text, left, &code), length);
    assert_int_equal(code, expected);
}

static void code_points_are_decoded(void **state)
{
    assert_code_point("a", 1, 1, 'a');
    assert_code_point("", 1, 1, 0);
    assert_code_point("\xc2\x80", 2, 2, 0x80);
    assert_code_point("\xe4\xba\xba!", 4, 3, 0x4eba);
    assert_code_point("\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff);
    assert_code_point("a", 0, 0, 0);
    assert_code_point("\xe4\xba\xba", 2, 0, 0);     /* cut off */
    assert_code_point("\xc1\xbf", 2, 0, 0);         /* too many bytes */
    assert_code_point("\xe0\x9f\xbf", 3, 0, 0);     /* likewise */
    assert_code_point("\xed\xa0\x80", 3, 0, 0);     /* half a surrogate pair */
    assert_code_point("\xf4\x90\x80\x80", 4, 0, 0); /* beyond the last */
    assert_code_point("\x80", 1, 0, 0);
    assert_code_point("\xff", 1, 0, 0);
}

static void assert_valid(const char *text, const char *expected)
{
    char *valid = df_text_valid(text);
    assert_string_equal(valid, expected);
    free(valid);
}

static void what_is_no_utf8_is_spelt(void **state)
{
    assert_valid("", "");
    assert_valid("caf\xc3\xa9 \\xE9 \xe4\xba\xba \xf0\x9f\x98\x80",
                 "caf\xc3\xa9 \\xE9 \xe4\xba\xba \xf0\x9f\x98\x80");
    assert_valid("caf\xe9", "caf\\xE9");
    assert_valid("\xff\xfe", "\\xFF\\xFE");
    assert_valid("\xe4\xba", "\\xE4\\xBA");          /* cut off */
    assert_valid("\xc0\xaf/", "\\xC0\\xAF/");        /* a long form of '/' */
    assert_valid("\xed\xb2\x80", "\\xED\\xB2\\x80"); /* half a surrogate pair */
}

static void weights_that_no_model_has(void **state)
{
    static const float wrong[] = {NAN, INFINITY, -INFINITY, 1.1e15f, -3e38f};
    float values[5] = {1.0f, -DF_WEIGHT_MAX, DF_WEIGHT_MAX, 0.0f, -0.5f};

    assert_int_equal(df_check_weights("w", values, 5), 0);
    assert_int_equal(df_check_weights("w", NULL, 0), 0);
    for (int i = 0; i < 5; i++) {
        values[i] = wrong[i];
        assert_int_equal(df_check_weights("blocks.3.w", values, 5), -1);
        assert_int_equal(strncmp(df_error_text(), "blocks.3.w holds ", 17), 0);
        assert_non_null(strstr(df_error_text(), isfinite(wrong[i]) ? "no trained model" : "not numbers"));
        values[i] = 1.0f;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_that_no_model_has),
        cmocka_unit_test(errors_keep_the_last_text_and_its_context),
        cmocka_unit_test(errors_are_one_line_of_text),
        cmocka_unit_test(long_errors_are_cut_not_overrun),
        cmocka_unit_test(lack_of_memory_is_told_apart),
        cmocka_unit_test(all_halves_survive_a_round_trip),
        cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(floating_point_types_are_told_apart),
        cmocka_unit_test(types_convert_by_value),
        cmocka_unit_test(sizes_do_not_wrap),
        cmocka_unit_test(streams_differ_and_repeat),
        cmocka_unit_test(draws_have_the_right_moments),
        cmocka_unit_test(uniforms_are_uniform),
        cmocka_unit_test(normals_are_normal),
        cmocka_unit_test(many_normals_are_the_single_ones),
        cmocka_unit_test(the_ziggurats_layers_are_equal),
        cmocka_unit_test(permutations_hold_every_index_once),
        cmocka_unit_test(paths_come_apart),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(the_clock_runs_forwards),
        cmocka_unit_test(medians_of_few_and_many),
        cmocka_unit_test(digests_are_xxh64),
        cmocka_unit_test(digests_do_not_depend_on_the_pieces),
        cmocka_unit_test(the_machine_has_something_left),
        cmocka_unit_test(code_points_are_decoded),
        cmocka_unit_test(what_is_no_utf8_is_spelt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
