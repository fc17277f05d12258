/* The table of corruptions. */
#include "imagenet_c/imagenet_c.h"
#include "albumentations/reference.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define COMMON .common = true
#define RANDOM .random = true

static const struct df_corruption imagenet_c[] = {
    {"gaussian_noise", "noise", COMMON, RANDOM, .apply = imagenet_c_gaussian_noise},
    {"shot_noise", "noise", COMMON, RANDOM, .apply = imagenet_c_shot_noise},
    {"impulse_noise", "noise", COMMON, RANDOM, .apply = imagenet_c_impulse_noise},
    {"defocus_blur", "blur", COMMON, .apply = imagenet_c_defocus_blur},
    {"glass_blur", "blur", COMMON, RANDOM, .apply = imagenet_c_glass_blur},
    {"motion_blur", "blur", COMMON, RANDOM, .apply = imagenet_c_motion_blur},
    {"zoom_blur", "blur", COMMON, .apply = imagenet_c_zoom_blur},
    {"snow", "weather", COMMON, RANDOM, .apply = imagenet_c_snow},
    {"frost", "weather", COMMON, RANDOM, .needs_frost = true, .apply = imagenet_c_frost},
    {"fog", "weather", COMMON, RANDOM, .apply = imagenet_c_fog},
    {"brightness", "digital", COMMON, .apply = imagenet_c_brightness},
    {"contrast", "digital", COMMON, .apply = imagenet_c_contrast},
    {"elastic_transform", "digital", COMMON, RANDOM, .apply = imagenet_c_elastic_transform},
    {"pixelate", "digital", COMMON, .apply = imagenet_c_pixelate},
    {"jpeg_compression", "digital", COMMON, .apply = imagenet_c_jpeg_compression},
    {"speckle_noise", "extra", RANDOM, .apply = imagenet_c_speckle_noise},
    {"gaussian_blur", "extra", .apply = imagenet_c_gaussian_blur},
    {"spatter", "extra", RANDOM, .apply = imagenet_c_spatter},
    {"saturate", "extra", .apply = imagenet_c_saturate},
};

static const struct df_corruption reference[] = {
    {"GaussNoise", "noise", RANDOM, .apply = reference_gauss_noise},
    {"ISONoise", "noise", RANDOM, .apply = reference_iso_noise},
    {"GaussianBlur", "blur", RANDOM, .apply = reference_gaussian_blur},
    {"GlassBlur", "blur", RANDOM, .apply = reference_glass_blur},
    {"Defocus", "blur", RANDOM, .apply = reference_defocus},
    {"MotionBlur", "blur", RANDOM, .apply = reference_motion_blur},
    {"ZoomBlur", "blur", RANDOM, .apply = reference_zoom_blur},
    {"RandomSnow", "weather", RANDOM, .apply = reference_random_snow},
    {"ImageCompression", "digital", .apply = reference_image_compression},
    {"ElasticTransform", "digital", RANDOM, .apply = reference_elastic_transform},
};

#define NAMED(ID, TEXT)  [ID].name = TEXT,
#define HOLDS(ID, TABLE) [ID].corruptions = TABLE, [ID].count = sizeof TABLE / sizeof *TABLE

static const struct df_corruption_suite suites[DF_SUITE_COUNT] = {
    DF_SUITES(NAMED) HOLDS(DF_SUITE_IMAGENET_C, imagenet_c), HOLDS(DF_SUITE_REFERENCE, reference)};

const struct df_corruption_suite *df_corruption_suite(enum df_suite suite)
{
    return &suites[suite];
}

_Static_assert(sizeof imagenet_c / sizeof *imagenet_c + sizeof reference / sizeof *reference ==
                   DF_CORRUPTIONS,
               "DF_CORRUPTIONS counts both tables");

/* Everything there is to choose, for someone whose word is like none of it. */
static void list_names(const char *wrong, const char *const *names)
{
    char text[DF_ERROR_TEXT_MAX];
    size_t length = 0;

    for (int i = 0; i < DF_CORRUPTIONS; i++) {
        int added = snprintf(text + length, sizeof text - length, "%s%s", i > 0 ? ", " : "", names[i]);
        assert(added > 0 && (size_t)added < sizeof text - length);
        length += (size_t)added;
    }
    df_error_set("no corruption is called '%s'; there are %s", wrong, text);
}

const struct df_corruption *df_corruption_named(const char *name)
{
    const char *names[DF_CORRUPTIONS];
    int count = 0;

    for (int s = 0; s < DF_SUITE_COUNT; s++) {
        for (int i = 0; i < suites[s].count; i++) {
            if (strcmp(suites[s].corruptions[i].name, name) == 0)
                return &suites[s].corruptions[i];
            names[count++] = suites[s].corruptions[i].name;
        }
    }
    const int nearest = df_text_nearest(name, names, count);
    if (nearest >= 0)
        df_error_set("no corruption is called '%s'; did you mean %s?", name, names[nearest]);
    else
        list_names(name, names);
    return NULL;
}
