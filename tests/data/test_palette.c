/* The colours of classes, and which of them overlays leave out. */
#include "support/cmocka_all.h"

#include "dinoft/palette.h"

static void assert_colors(const struct df_palette *palette, const uint8_t expected[][4], size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(palette->rgb[expected[i][0]], expected[i] + 1, 3);
}

static void voc_s_map(void **state)
{
    static const uint8_t expected[][4] = {{0, 0, 0, 0},     {1, 128, 0, 0}, {2, 0, 128, 0},
                                          {3, 128, 128, 0}, {8, 64, 0, 0},  {15, 192, 128, 128},
                                          {20, 0, 64, 128}, {64, 32, 0, 0}, {255, 224, 224, 192}};
    static const enum df_dataset_kind kinds[] = {DF_DATASET_VOC, DF_DATASET_FOLDER};
    struct df_palette palette;

    for (size_t k = 0; k < 2; k++) {
        df_palette_fill(&palette, kinds[k], NULL);
        assert_colors(&palette, expected, sizeof expected / sizeof *expected);
    }
}

static void ade20k_s_colors(void **state)
{
    static const uint8_t expected[][4] = {
        {0, 120, 120, 120}, {2, 6, 230, 230}, {12, 150, 5, 61}, {149, 92, 0, 255}, {255, 224, 224, 192}};
    struct df_palette palette;

    df_palette_fill(&palette, DF_DATASET_ADE20K, "wall");
    assert_colors(&palette, expected, sizeof expected / sizeof *expected);
    for (int number = 0; number < 256; number++)
        assert_int_equal(palette.shows_image[number], number == 255);
}

static void the_background_is_class_0_of_that_name(void **state)
{
    static const struct {
        const char *name;
        bool expected;
    } cases[] = {{"background", true},    {"Background", true}, {"class_0", false},
                 {"background 2", false}, {"", false},          {NULL, false}};
    struct df_palette palette;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        df_palette_fill(&palette, DF_DATASET_FOLDER, cases[i].name);
        assert_int_equal(palette.shows_image[0], cases[i].expected);
        assert_false(palette.shows_image[1]);
        assert_true(palette.shows_image[255]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voc_s_map),
        cmocka_unit_test(ade20k_s_colors),
        cmocka_unit_test(the_background_is_class_0_of_that_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
