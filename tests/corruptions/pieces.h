/* Written by make_pieces.py: what OpenCV and scipy make of the pictures of pictures.c. */
#ifndef TESTS_CORRUPTIONS_PIECES_H
#define TESTS_CORRUPTIONS_PIECES_H

#include <stdint.h>

/* FNV-1a of the bytes. */
static const uint64_t canny_hash = 0x616c9271decb655cu;
static const uint64_t box_hash = 0x67aabc3457886416u;
static const uint64_t filter_hash = 0x32fa55327ee690e4u;
static const uint64_t equalized_hash = 0x7d9baf8e5bf6a23fu;
static const uint64_t box_of_distances_hash = 0xd84aa5a670b47b1eu;
static const uint64_t hls_hash = 0x99177cc0ff5a036du;
static const uint64_t rgb_hash = 0x905eea8b0a3ba56au;
static const uint64_t enlarged_hash = 0x703466018310238bu;
static const uint64_t enlarged_cut_hash = 0xe44c7b638215c785u;
static const uint64_t doubled_hash = 0xe962596d8a6facf4u;
static const uint64_t doubled_cut_hash = 0x9513a3b757743e26u;
static const uint64_t affine_linear_colours_hash = 0x7e649840570744efu;
static const uint64_t offsets_linear_colours_hash = 0x4122cbe034b8da7bu;
static const uint64_t affine_linear_grey_hash = 0xccefada7409e3edau;
static const uint64_t offsets_linear_grey_hash = 0x1512177350a5ecabu;
static const uint64_t affine_nearest_colours_hash = 0x90c6fb3da70e40ceu;
static const uint64_t offsets_nearest_colours_hash = 0xafb25f3a55edc059u;
static const uint64_t affine_nearest_grey_hash = 0xe0b2f8fd71d8b74bu;
static const uint64_t offsets_nearest_grey_hash = 0x07cdbe091ccaab09u;

/* Every 23rd value. */
static const float distances[] = {
    20.000000f, 15.787598f, 5.793793f, 20.000000f, 8.590698f, 2.000000f, 20.000000f, 2.000000f,
    0.000000f,  16.196838f, 4.393799f, 20.000000f, 9.787598f, 1.000000f, 19.772095f, 3.000000f,
    1.000000f,  15.399933f, 2.196899f, 20.000000f, 9.799957f, 1.000000f, 17.575195f, 3.596893f,
    2.000000f,  14.181396f, 2.799988f, 17.000000f, 9.196869f, 2.799988f, 15.378296f, 3.596893f,
    1.000000f,  12.384491f, 2.196899f, 1.000000f,  8.399963f, 5.393799f, 12.787598f, 2.799988f,
    0.000000f,  10.187592f, 2.196899f, 1.000000f,  6.590698f, 5.599976f, 10.000000f, 2.196899f,
    0.000000f,  7.990692f,  2.799988f, 2.799988f,  4.996887f, 4.996887f, 7.000000f,  1.000000f,
    0.000000f,  5.196899f,  3.596893f, 2.196899f,  2.799988f, 4.199982f, 4.000000f,  1.000000f,
    1.000000f,  3.000000f,  4.393799f, 2.196899f,  1.000000f, 3.196899f, 1.000000f,  2.196899f,
    1.399994f,  0.000000f,  5.793793f, 1.000000f,  2.000000f, 2.000000f, 1.399994f,  4.393799f,
    2.196899f,  3.000000f,  4.000000f, 0.000000f,  4.196899f, 0.000000f, 2.196899f,  4.996887f,
    3.596893f,  6.000000f,  2.000000f, 1.000000f,  4.000000f, 1.399994f, 2.799988f,  2.000000f,
    2.000000f,  0.000000f,  0.000000f, 0.000000f,  1.399994f, 3.196899f, 1.399994f,  0.000000f,
    0.000000f,  1.000000f,  2.196899f, 1.399994f,  1.000000f, 2.000000f, 0.000000f,  2.000000f,
    0.000000f,  2.000000f,  1.000000f, 1.000000f,  0.000000f, 0.000000f, 1.000000f,  1.000000f,
    1.399994f,  1.000000f,
};

/* Every 7th value. */
static const float smoothed[] = {
    -0.082777f, 0.113916f,  -0.061203f, 0.020272f,  -0.142879f, 0.120020f,  0.004844f,  0.045900f,
    -0.062094f, 0.015175f,  -0.117289f, 0.117873f,  0.054305f,  -0.014005f, -0.040179f, 0.012481f,
    -0.093114f, 0.111173f,  0.056964f,  -0.053000f, -0.008573f, -0.004138f, -0.069281f, -0.123862f,
    0.068485f,  -0.080344f, 0.040628f,  -0.030338f, -0.023997f, -0.103287f, 0.066233f,  -0.095886f,
    0.062225f,  -0.056445f, -0.036881f, -0.061444f, 0.047142f,  -0.095076f, 0.063826f,  -0.079509f,
    -0.071500f, -0.032262f, 0.025195f,  -0.093475f, 0.064636f,  -0.108076f, -0.071884f, -0.005890f,
    -0.001283f, -0.072353f, 0.049290f,  -0.140393f, -0.083640f, 0.041103f,  -0.029967f, -0.025360f,
    0.024498f,  -0.143268f, -0.095934f, 0.062225f,  -0.056445f, 0.001042f,  -0.001104f, 0.040136f,
    -0.095076f, 0.063826f,  -0.078392f, 0.029889f,  -0.024262f, 0.023650f,  -0.093475f, 0.064636f,
    -0.097483f, 0.064664f,  -0.040364f, -0.001128f, -0.072353f, 0.049290f,  -0.099191f, 0.068614f,
    0.124307f,  -0.029870f, -0.025360f, 0.024595f,  -0.084834f, 0.064330f,  0.098443f,  -0.056445f,
    0.001042f,  -0.001409f, -0.074040f, 0.065305f,  0.070829f,  -0.078392f, 0.029889f,  -0.029580f,
    -0.036172f, 0.066341f,  0.065245f,  -0.097483f, 0.064664f,  -0.057289f, 0.012205f,  -0.067679f,
    0.049290f,  -0.099191f, 0.068565f,  -0.078400f, 0.038279f,  -0.031451f, 0.024966f,  -0.084352f,
    0.061314f,  -0.094548f, 0.073151f,  -0.002167f, 0.001606f,  -0.071029f, 0.048187f,  -0.107655f,
    -0.131504f, 0.031052f,  -0.016538f, -0.022659f, 0.012905f,  -0.108419f, -0.152980f, 0.097699f,
    -0.024977f, 0.044935f,  -0.047456f, -0.138287f, -0.162873f, 0.140274f,  -0.030383f, 0.059319f,
    -0.119206f, -0.212551f,
};

#endif
