/* Written by make_augment_goldens.py: FNV-1a of what mmsegmentation's formulas make of its pictures. */
#ifndef TESTS_DATA_AUGMENT_GOLDENS_H
#define TESTS_DATA_AUGMENT_GOLDENS_H

#include "dinoft/augment.h"
#include "src/data/photometric.h"

static const struct tile_setting {
    int64_t sizes[4]; /* tile, image: height, width */
    struct df_augment_options options;
    uint64_t seed;
} tile_settings[] = {
    {{48, 64, 70, 90}, {DF_AUGMENT_NONE, 0, {1, 1}, 0, 0}, 3u},
    {{48, 64, 70, 90}, {DF_AUGMENT_FLIP, 0, {1, 1}, 0, 0}, 3u},
    {{56, 56, 75, 100}, {DF_AUGMENT_STANDARD, 0, {0.5, 2.0}, 0, 0}, 1u},
    {{56, 84, 100, 30}, {DF_AUGMENT_STANDARD, 0, {0.5, 1.0}, 1, 0}, 9223372036854775813u},
    {{70, 56, 41, 400}, {DF_AUGMENT_STANDARD, 0, {1.0, 4.0}, 0, 0}, 9u},
    {{70, 56, 41, 400}, {DF_AUGMENT_STANDARD, 0, {1.0, 4.0}, 1, 0}, 9u},
    {{56, 56, 75, 100}, {DF_AUGMENT_NONE, 0, {0.5, 2.0}, 0, 1}, 3u},
    {{56, 56, 101, 64}, {DF_AUGMENT_NONE, 0, {0.5, 2.0}, 0, 1}, 3u},
    {{56, 56, 56, 56}, {DF_AUGMENT_NONE, 0, {0.5, 2.0}, 0, 1}, 3u},
    {{56, 56, 31, 300}, {DF_AUGMENT_NONE, 0, {0.5, 2.0}, 0, 1}, 3u},
    {{56, 84, 75, 100}, {DF_AUGMENT_NONE, 0, {0.5, 2.0}, 0, 1}, 3u},
    {{56, 84, 100, 75}, {DF_AUGMENT_NONE, 0, {0.5, 2.0}, 0, 1}, 3u},
    {{56, 56, 75, 100}, {DF_AUGMENT_FLIP, 0, {0.5, 2.0}, 0, 1}, 4u},
    {{56, 56, 120, 50}, {DF_AUGMENT_FLIP, 0, {0.5, 2.0}, 0, 1}, 4u},
    {{42, 84, 75, 100}, {DF_AUGMENT_FLIP, 0, {0.5, 2.0}, 0, 1}, 4u},
    {{42, 84, 120, 50}, {DF_AUGMENT_FLIP, 0, {0.5, 2.0}, 0, 1}, 4u},
    {{56, 56, 75, 100}, {DF_AUGMENT_STANDARD, 0, {0.5, 2.0}, 0, 1}, 1u},
};

static const struct {
    int setting; /* in tile_settings */
    int64_t epoch, sample;
    uint64_t pixels, labels;
} tile_goldens[] = {
    {0, 0, 0, 0xefcd0ec78e90babdu, 0xb378811d27c64b65u},
    {1, 0, 0, 0xefcd0ec78e90babdu, 0xb378811d27c64b65u},
    {1, 0, 1, 0xce1592fdd2a6af6du, 0xf5229f5295c11365u},
    {2, 0, 0, 0xe86430abe82704f3u, 0xf727276894d5f8fdu},
    {2, 0, 1, 0xfdc8bbc177ed4522u, 0x91e5496bd3d09225u},
    {2, 0, 2, 0x715ac4d088219edbu, 0xff479d2458dbc6f5u},
    {2, 0, 3, 0xc97f6343981824a7u, 0xf7b71a0c9cf972c5u},
    {2, 0, 4, 0x97b23a386af31453u, 0x805eaa039b690825u},
    {2, 0, 5, 0x1997288bd6b23a88u, 0x69fdf2e8a83eddc3u},
    {2, 0, 6, 0x2ee3bd2065547669u, 0xd18f03087817547au},
    {2, 0, 7, 0x05225012a0e0dfb3u, 0x5a2a16e3c269d7b5u},
    {2, 7, 0, 0x00b2abccf8aad69fu, 0xa8cf0405442a877du},
    {2, 7, 1, 0xd31e79ef35506021u, 0xa3969e1515cbc520u},
    {2, 7, 2, 0x9c13287dd3ff8bf5u, 0x1ec2223aa5d4d0c5u},
    {2, 7, 3, 0x1c695fe136cba3beu, 0xdef3eb209ec85722u},
    {2, 7, 4, 0x738c610158e6ae5eu, 0xb3ae87faf24bc6a3u},
    {2, 7, 5, 0x3779e99915cf9656u, 0x4914678ccdfff825u},
    {2, 7, 6, 0xe0d23129cc4c0127u, 0xdbf3dd04964b4523u},
    {2, 7, 7, 0x5208534b144704b0u, 0xd80cfd37ce477fa5u},
    {3, 0, 2147483648, 0xf9ce40a093d01c7au, 0xfb9ecfedd89f5025u},
    {3, 1, 2147483648, 0x61edd6be9d422262u, 0x1d59587ccb5168d5u},
    {3, 2, 2147483648, 0xcf08636361fcb15eu, 0xd4097c7bf7338aa3u},
    {3, 3, 2147483648, 0xa22574121f9d1d60u, 0xd719f899fa0cad25u},
    {4, 1, 0, 0xc232510ca9bb229fu, 0x3d8013d18a5a8165u},
    {5, 1, 0, 0x124c0f79a8eab486u, 0x3d8013d18a5a8165u},
    {4, 1, 1, 0xe2d5e05ed0a9d1f4u, 0x5bfc4fde387b24fdu},
    {5, 1, 1, 0x2ee35e1dd3ac14a4u, 0x4dc2f69b9cea0c9du},
    {4, 1, 2, 0xc755aa4e120e311du, 0x3f77e9d98e0ef44du},
    {5, 1, 2, 0x1a6a8e8583f48dd3u, 0x3f77e9d98e0ef44du},
    {4, 1, 3, 0x5ab1c1a307a850acu, 0x6d69f1e6890e2db5u},
    {5, 1, 3, 0x855f69f477b53229u, 0x6d69f1e6890e2db5u},
    {6, 0, 0, 0x0f575cc44e5b4455u, 0x30e7a63b87d6203bu},
    {7, 0, 0, 0x8acf6738dc1482d1u, 0xe3aa81e402de9a11u},
    {8, 0, 0, 0xb038f2207a2b90d5u, 0xf75eb3c82c243cc7u},
    {9, 0, 0, 0x46a05191996a0123u, 0x38f9ccd09921e8fdu},
    {10, 0, 0, 0x40ce425decad75d1u, 0xf89075231fee7fd3u},
    {11, 0, 0, 0x43fa877799bf8bd9u, 0xc4e9d81e7b9a058du},
    {12, 2, 0, 0xbf3004d9798c3bb7u, 0x8adc9ced16c7e72bu},
    {12, 2, 1, 0xf9f21aa6bb85ac4du, 0xb14fd997bb7b1d2bu},
    {12, 2, 2, 0x649d6c3f2aeab8e8u, 0x9cc579ce4b6888d7u},
    {13, 2, 0, 0x27d8ff8d5f85a89bu, 0xe24d569d16ba68dbu},
    {13, 2, 1, 0xe45341dfa4d6d319u, 0x136cec12b46830dbu},
    {13, 2, 2, 0x7e84ced9fa99e749u, 0x448de222c90c14dbu},
    {14, 2, 0, 0xfa6158c8324a8462u, 0x6c0bb26960553ae7u},
    {14, 2, 1, 0xfa6158c8324a8462u, 0x6c0bb26960553ae7u},
    {14, 2, 2, 0xfa6158c8324a8462u, 0x6c0bb26960553ae7u},
    {15, 2, 0, 0x4b100897bd8f7ef9u, 0xfc0024ec0ba69077u},
    {15, 2, 1, 0xb6a2e56e8d6b0413u, 0x84d11ce7ae67e967u},
    {15, 2, 2, 0xb4260f9fe48a900bu, 0x5a499a815d4a3e93u},
    {16, 7, 3, 0x1c695fe136cba3beu, 0xdef3eb209ec85722u},
};

static const struct {
    struct df_photometric colours;
    uint64_t pixels;
} colour_goldens[] = {
    {{12.5f, 1.0f, 0, 1, 1.0f, 1, 0}, 0xa8a69f6f548dc4a0u},
    {{-31.75f, 1.25f, 0, 1, 1.0f, 1, 0}, 0xe8d457cf7072409au},
    {{31.0f, 0.625f, 1, 1, 1.0f, 1, 0}, 0x45be340a3d88c492u},
    {{0.0f, 1.0f, 0, 1, 1.4375f, 0, 0}, 0x20b984b6fcf7f12au},
    {{0.0f, 1.0f, 0, 0, 1.0f, 1, -18}, 0x828501983bf5ad8du},
    {{0.0f, 1.0f, 0, 0, 1.0f, 1, 0}, 0xf3ab133fe770a090u},
    {{0.0f, 1.0f, 0, 1, 0.53125f, 1, 17}, 0x6143b86951520bd2u},
    {{-7.3125f, 1.40625f, 1, 1, 0.75f, 1, -5}, 0xa1bd02295d91cd21u},
    {{22.0f, 0.515625f, 0, 1, 1.484375f, 1, 11}, 0x03961ffaa231c3c0u},
};

#endif
