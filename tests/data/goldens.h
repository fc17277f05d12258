/* Written by make_goldens.py: what OpenCV makes of the fixtures. */
#ifndef TESTS_DATA_GOLDENS_H
#define TESTS_DATA_GOLDENS_H

#include <stdint.h>

/* FNV-1a of the RGB pixels. */
static const struct {
    const char *file;
    int width, height;
    uint64_t hash;
} decoded_goldens[] = {
    {"cmyk.jpg", 37, 24, 0x875dcb4998b67ec3u},
    {"grey.jpg", 37, 24, 0x5f0a354af1389b83u},
    {"grey.pgm", 37, 24, 0x78a67c205cc5f392u},
    {"grey.png", 37, 24, 0x78a67c205cc5f392u},
    {"grey16.png", 37, 24, 0xd8552348b4ef15fau},
    {"grey_alpha.png", 37, 24, 0xd8552348b4ef15fau},
    {"mask_grey2.png", 37, 24, 0x8533ed67720b5951u},
    {"mask_grey8.png", 37, 24, 0x181d6b3e54fe456du},
    {"mask_interlaced2.png", 37, 24, 0x3fb84a2ed8f02371u},
    {"mask_palette1.png", 37, 24, 0x8cb171f654318ef9u},
    {"mask_palette2.png", 37, 24, 0x3fb84a2ed8f02371u},
    {"mask_palette4.png", 37, 24, 0x44a63a48031213bdu},
    {"mask_palette8.png", 37, 24, 0xfe24c94bc2949c69u},
    {"orientation1.jpg", 37, 24, 0x48b56cc6efc2199fu},
    {"orientation2.jpg", 37, 24, 0x75f3c9f8efb7ba23u},
    {"orientation3.jpg", 37, 24, 0xa6a906d862e866cbu},
    {"orientation4.jpg", 37, 24, 0xf95a1fdb3c7352afu},
    {"orientation5.jpg", 24, 37, 0x67ac3bd7439e1409u},
    {"orientation6.jpg", 24, 37, 0xabb5e2357361121du},
    {"orientation6.png", 24, 37, 0x43171c15c4e34343u},
    {"orientation7.jpg", 24, 37, 0x6e226efaf5af3321u},
    {"orientation8.jpg", 24, 37, 0x6bc1c784ad467c25u},
    {"palette.gif", 37, 24, 0x72616fe25d5eb476u},
    {"palette4.png", 37, 24, 0x3bcf008990147a6fu},
    {"palette8.png", 37, 24, 0x72616fe25d5eb476u},
    {"progressive.jpg", 37, 24, 0x05bfe1e00ca952a3u},
    {"rgb.bmp", 37, 24, 0xe2bc041541896dabu},
    {"rgb.png", 37, 24, 0xe2bc041541896dabu},
    {"rgb.ppm", 37, 24, 0xe2bc041541896dabu},
    {"rgb.tga", 37, 24, 0xe2bc041541896dabu},
    {"rgb16.png", 37, 24, 0x5281ced6867ae397u},
    {"rgb420.jpg", 37, 24, 0x48b56cc6efc2199fu},
    {"rgb444.jpg", 37, 24, 0x1a16712664b01322u},
    {"rgba.png", 37, 24, 0xe2bc041541896dabu},
    {"rgba16.png", 37, 24, 0x5281ced6867ae397u},
    {"transparent_colour.png", 37, 24, 0xe2bc041541896dabu},
};

/* Of the source that test_resize.c makes. */
static const struct {
    int height, width, to_height, to_width;
    uint64_t linear, nearest;
} resize_goldens[] = {
    {375, 500, 490, 490, 0x6ce1ad6c076af8dbu, 0x1b93f1b70e3c61fdu},
    {500, 375, 490, 490, 0x6f31471dd31b368bu, 0x801e9e16c05b837fu},
    {61, 83, 29, 47, 0x1b628409bce3fc54u, 0x19d0657d5c431601u},
    {1, 9, 13, 20, 0x595e44ca75bbf6d6u, 0x3b9aa221fb601035u},
    {9, 1, 20, 13, 0x0abc238705ed9d96u, 0x82e08c02b927c205u},
    {1, 1, 5, 7, 0x70448b7d312b3f24u, 0x3aefc885e76ecb37u},
    {40, 60, 20, 30, 0x86dbeba492dd4691u, 0x8cfaf8788d99b115u},
    {100, 100, 490, 322, 0x8079c3189ed680d8u, 0x31edf5f8b684b616u},
    {33, 21, 518, 7, 0x21d32756b9917a26u, 0xba9b11872c991675u},
    {17, 19, 1, 1, 0xad76161853145299u, 0xaf63bd4c8601b7dfu},
    {23, 1100, 31, 1300, 0x5fdd209cc58400bfu, 0xef6bcea135aa1fa9u},
};

/* 3 x 5 to 4 x 7, in full. */
static const uint8_t resize_linear_values[] = {
    0,  83,  166, 7,  90,  173, 24,  107, 190, 52,  135, 218, 98,  181, 81,  156, 129, 66,  208, 35,  118,
    4,  87,  170, 22, 105, 188, 52,  135, 172, 93,  176, 99,  152, 121, 89,  154, 104, 133, 125, 112, 195,
    15, 98,  181, 45, 128, 156, 90,  146, 115, 147, 134, 57,  153, 94,  131, 143, 93,  176, 126, 113, 196,
    28, 111, 194, 68, 151, 88,  127, 137, 37,  196, 23,  106, 101, 111, 194, 127, 100, 183, 212, 39,  122,
};

#endif
