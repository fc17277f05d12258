/* Written by make_blur_goldens.py: what the packages make of pictures from a formula. */
/* clang-format off */
#ifndef TESTS_CORRUPTIONS_BLUR_GOLDENS_H
#define TESTS_CORRUPTIONS_BLUR_GOLDENS_H

#include "src/corruptions/pixels/filters.h"

#include <stdint.h>

#define GOLDEN_SEEDS 4
#define GOLDEN_NAME  "formula"

/* 64-bit FNV-1a, its halves XORed, of the bytes of all seeds; severities 1 .. 5. */
static const struct {
    const char *corruption;
    int height, width;
    uint32_t hash[5];
} blur_goldens[] = {
    {"gaussian_blur", 37, 45, {0x4aa19412u, 0x526f500cu, 0x69f6ba38u, 0xf2d0e492u, 0xf10831b3u}},
    {"gaussian_blur", 32, 33, {0x36e84bdeu, 0x572fc9f8u, 0x43d85b90u, 0xd99815a3u, 0x1dcc07a4u}},
    {"defocus_blur", 37, 45, {0xa9d2b9bau, 0xda561ff2u, 0xd4354c36u, 0x84c10a17u, 0x9e36d42fu}},
    {"defocus_blur", 32, 33, {0x619e0766u, 0xd59f5d12u, 0x7715eee2u, 0x7247348fu, 0x4f1cd6e7u}},
    {"glass_blur", 37, 45, {0x86cd1cd1u, 0x420e2392u, 0x51b1a779u, 0xd9650c82u, 0x5a715eabu}},
    {"glass_blur", 32, 33, {0x97f94b9au, 0x2114a419u, 0x99c63f32u, 0x782277abu, 0x2d90f3bdu}},
    {"motion_blur", 37, 45, {0x71533758u, 0x47c3a4c9u, 0x73da4dd7u, 0x244e52deu, 0x8d71a912u}},
    {"motion_blur", 32, 33, {0x57869599u, 0x4a31682fu, 0x90065e7du, 0xeaae0c07u, 0x8767b636u}},
    {"zoom_blur", 37, 45, {0x7237a6e9u, 0x9095fedfu, 0x2d4c613du, 0xf0d84050u, 0xac611c99u}},
    {"zoom_blur", 32, 33, {0xb9519fb1u, 0xf9c94c5eu, 0xce4d4638u, 0xe733028au, 0x3cf6005bu}},
    {"GaussianBlur", 37, 45, {0xac97339au, 0x6a0a2932u, 0x4b276a48u, 0xac97339au, 0x0506803au}},
    {"GaussianBlur", 32, 33, {0x1007c363u, 0xc2cece3cu, 0xc6962672u, 0x1007c363u, 0x59995758u}},
    {"GlassBlur", 37, 45, {0x77fb916eu, 0xd13e3ab6u, 0xcf0a1a0au, 0x05b5e499u, 0x125b4e1cu}},
    {"GlassBlur", 32, 33, {0x18b2a8c2u, 0x410e400fu, 0xca7f6e1eu, 0x874ea97eu, 0xf9c7fb2bu}},
    {"Defocus", 37, 45, {0x2cc0cf09u, 0x9bb2c684u, 0xec04d086u, 0xe1937a5eu, 0x6bbab6e5u}},
    {"Defocus", 32, 33, {0xac0b2e2du, 0x44615981u, 0x3b5eb368u, 0xf36092d9u, 0x0afd3fb7u}},
    {"MotionBlur", 37, 45, {0x566d9186u, 0x04abcdceu, 0x85358364u, 0x05210eb2u, 0xbb49ecafu}},
    {"MotionBlur", 32, 33, {0xeab10c66u, 0xf021d475u, 0x730dca86u, 0x005056fcu, 0xffd84d8cu}},
    {"ZoomBlur", 37, 45, {0x53a7acc1u, 0x2ab05f6eu, 0xddf98b15u, 0x6aa20bebu, 0x19c236aau}},
    {"ZoomBlur", 32, 33, {0x4f273932u, 0x58c37cccu, 0x6561a428u, 0x360e0996u, 0x674bf4adu}},
};

/* defocus_blur of a flat 200: its kernels do not quite add up to 1. */
static const uint8_t flat_golden[5] = {199, 199, 199, 202, 202};

/* The bytes of all lines between two points of a square, drawn with 1 on 0. */
#define LINES_SIZE 7
static const uint32_t lines_hash = 0xa467dd98u;

/* scipy.ndimage.gaussian_filter of the picture [5, 7, 1]. */
static const struct {
    double sigma, truncate;
    enum filter_border border;
    float values[35];
} gaussian_goldens[] = {
    {1.3, 4.0, BORDER_NEAREST, {
    22.3441143f, 47.2773094f, 82.9738388f, 117.570915f, 138.950424f, 149.952881f, 161.139297f, 38.9738083f,
    66.1050568f, 98.1337128f, 123.996925f, 137.272202f, 140.48085f, 140.660126f, 63.7549973f, 88.820488f,
    111.074379f, 124.598831f, 130.13295f, 128.977356f, 123.664169f, 93.0271835f, 111.919464f, 119.534134f,
    119.213776f, 122.480133f, 129.766983f, 133.627182f, 119.374756f, 132.409119f, 126.157944f, 113.710991f,
    120.698257f, 147.270233f, 170.620544f,
    }},
    {6.0, 3.0, BORDER_REFLECT, {
    113.375366f, 113.570496f, 113.925179f, 114.359848f, 114.83165f, 115.198563f, 115.382149f, 113.371231f,
    113.566437f, 113.921379f, 114.356339f, 114.828392f, 115.195496f, 115.379227f, 113.377785f, 113.573196f,
    113.928474f, 114.363899f, 114.836372f, 115.203835f, 115.387733f, 113.362968f, 113.558357f, 113.913643f,
    114.349075f, 114.821556f, 115.189018f, 115.372978f, 113.353416f, 113.54879f, 113.903976f, 114.33931f,
    114.811691f, 115.179131f, 115.363052f,
    }},
    {2.0, 4.0, BORDER_REFLECT_101, {
    90.0353622f, 94.6521912f, 106.070793f, 118.962784f, 128.908829f, 134.431839f, 136.097702f, 93.1992874f,
    97.3414917f, 107.568817f, 119.080551f, 127.92569f, 132.815399f, 134.285019f, 100.788338f, 103.775665f,
    111.114403f, 119.306236f, 125.541786f, 128.962067f, 129.985092f, 108.309975f, 110.129654f, 114.562035f,
    119.451591f, 123.146233f, 125.181847f, 125.796951f, 111.407036f, 112.739281f, 115.96254f, 119.48954f,
    122.152245f, 123.639656f, 124.097374f,
    }},
};

/* cv2.filter2D of it with the kernel i * 7 % 11 - 4, i < 25. */
static const float filter_2d_golden[35] = {
    1699.0f, 2397.0f, 1833.0f, 4349.0f, 2521.0f, 1871.0f, 4061.0f, 989.0f,
    3025.0f, 3243.0f, 2373.0f, 4071.0f, 3083.0f, 2631.0f, 1931.0f, 2175.0f,
    2417.0f, 4339.0f, 3453.0f, 2465.0f, 1337.0f, 905.0f, 3241.0f, 3643.0f,
    2189.0f, 999.0f, 3223.0f, 4283.0f, 1789.0f, 3227.0f, 7.0f, 4475.0f,
    2551.0f, 3369.0f, 1347.0f,
};

/* clipped_zoom of the picture [6, 9, 1] by 2.5. */
#define ZOOM_HEIGHT 8
#define ZOOM_WIDTH  10
static const float zoom_golden[ZOOM_HEIGHT * ZOOM_WIDTH] = {
    117.0f, 148.333328f, 179.666672f, 211.0f, 165.666672f, 120.333336f, 75.0f, 123.666664f,
    172.333328f, 221.0f, 139.571426f, 149.285721f, 159.0f, 168.714279f, 150.523804f, 132.333328f,
    114.14286f, 141.190475f, 168.238098f, 195.285721f, 162.142853f, 150.238098f, 138.333328f, 126.428574f,
    135.380951f, 144.333328f, 153.285721f, 158.714279f, 164.142853f, 169.571426f, 184.714279f, 151.190475f,
    117.666664f, 84.1428604f, 120.238098f, 156.333328f, 192.428574f, 176.238098f, 160.047623f, 143.857147f,
    172.714279f, 141.952377f, 111.190475f, 80.4285736f, 119.285713f, 158.142853f, 197.0f, 171.380951f,
    145.761902f, 120.14286f, 126.14286f, 122.523811f, 118.904762f, 115.285713f, 132.523804f, 149.761902f,
    167.0f, 144.142853f, 121.285713f, 98.4285736f, 79.5714264f, 103.095238f, 126.619049f, 150.142853f,
    145.761902f, 141.380951f, 137.0f, 116.904762f, 96.8095245f, 76.7142868f, 33.0f, 83.6666641f,
    134.333328f, 185.0f, 159.0f, 133.0f, 107.0f, 89.6666641f, 72.3333359f, 55.0f,
};

/* Of others [height, width, 1]: the sums of all, of the last row and of the last column, which can
 * be black. */
static const struct {
    int height, width;
    double factor;
    int to_height, to_width;
    double sum, last_row, last_column;
} zoom_goldens[] = {
    {52, 40, 3.5, 52, 42, 265328.399, 0, 6204.49022},
    {33, 292, 2.5, 35, 292, 1322376.03, 37766.3745, 0},
    {302, 302, 3.0, 303, 303, 11699591.8, 0, 0},
    {33, 41, 1.01, 33, 41, 171356, 4812, 4240},
    {32, 500, 1.13, 33, 501, 2125938.8, 62582.048, 4069},
    {41, 33, 1.0, 41, 33, 170132, 4144, 5860},
    {37, 45, 4.5, 40, 45, 211860.373, 6052.04543, 3695.38458},
};

/* The bits of the first of 1 / (i + 1.5), i < count, divided by their numpy.sum. */
static const struct {
    int count;
    uint64_t bits;
} sum_goldens[] = {
    {3, 0x3fdf8c9ea5dbf193u},
    {8, 0x3fd3bddece750b27u},
    {41, 0x3fc70e398640066fu},
    {128, 0x3fc1b11a41b9fbe7u},
    {129, 0x3fc1a9dcf9fc2d5fu},
    {1367, 0x3fb7c1246a0904ddu},
};

#endif
