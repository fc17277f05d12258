#include "dinoft/palette.h"

#include "dinoft/labels.h"

#include <string.h>
#include <strings.h>

/* SceneParse150's, as 0xrrggbb. */
static const uint32_t ade20k[] = {
    0x787878, 0xb47878, 0x06e6e6, 0x503232, 0x04c803, 0x787850, 0x8c8c8c, 0xcc05ff, 0xe6e6e6, 0x04fa07,
    0xe005ff, 0xebff07, 0x96053d, 0x787846, 0x08ff33, 0xff0652, 0x8fff8c, 0xccff04, 0xff3307, 0xcc4603,
    0x0066c8, 0x3de6fa, 0xff0633, 0x0b66ff, 0xff0747, 0xff09e0, 0x0907e6, 0xdcdcdc, 0xff095c, 0x7009ff,
    0x08ffd6, 0x07ffe0, 0xffb806, 0x0aff47, 0xff290a, 0x07ffff, 0xe0ff08, 0x6608ff, 0xff3d06, 0xffc207,
    0xff7a08, 0x00ff14, 0xff0829, 0xff0599, 0x0633ff, 0xeb0cff, 0xa09614, 0x00a3ff, 0x8c8c8c, 0xfa0a0f,
    0x14ff00, 0x1fff00, 0xff1f00, 0xffe000, 0x99ff00, 0x0000ff, 0xff4700, 0x00ebff, 0x00adff, 0x1f00ff,
    0x0bc8c8, 0xff5200, 0x00fff5, 0x003dff, 0x00ff70, 0x00ff85, 0xff0000, 0xffa300, 0xff6600, 0xc2ff00,
    0x008fff, 0x33ff00, 0x0052ff, 0x00ff29, 0x00ffad, 0x0a00ff, 0xadff00, 0x00ff99, 0xff5c00, 0xff00ff,
    0xff00f5, 0xff0066, 0xffad00, 0xff0014, 0xffb8b8, 0x001fff, 0x00ff3d, 0x0047ff, 0xff00cc, 0x00ffc2,
    0x00ff52, 0x000aff, 0x0070ff, 0x3300ff, 0x00c2ff, 0x007aff, 0x00ffa3, 0xff9900, 0x00ff0a, 0xff7000,
    0x8fff00, 0x5200ff, 0xa3ff00, 0xffeb00, 0x08b8aa, 0x8500ff, 0x00ff5c, 0xb800ff, 0xff001f, 0x00b8ff,
    0x00d6ff, 0xff0070, 0x5cff00, 0x00e0ff, 0x70e0ff, 0x46b8a0, 0xa300ff, 0x9900ff, 0x47ff00, 0xff00a3,
    0xffcc00, 0xff008f, 0x00ffeb, 0x85ff00, 0xff00eb, 0xf500ff, 0xff007a, 0xfff500, 0x0abed4, 0xd6ff00,
    0x00ccff, 0x1400ff, 0xffff00, 0x0099ff, 0x0029ff, 0x00ffcc, 0x2900ff, 0x29ff00, 0xad00ff, 0x00f5ff,
    0x4700ff, 0x7a00ff, 0x00ffb8, 0x005cff, 0xb8ff00, 0x0085ff, 0xffd600, 0x19c2c2, 0x66ff00, 0x5c00ff,
};

/* Bits 0, 1 and 2 of the number are the highest bits of red, green and blue, bits 3, 4 and 5 the next, ... */
static void fill_voc(uint8_t rgb[256][3])
{
    memset(rgb, 0, 256 * sizeof rgb[0]);
    for (int number = 0; number < 256; number++) {
        for (int bit = 0; bit < 8; bit++)
            rgb[number][bit % 3] |= (uint8_t)((number >> bit & 1) << (7 - bit / 3));
    }
}

static void fill_ade20k(uint8_t rgb[256][3])
{
    for (size_t i = 0; i < sizeof ade20k / sizeof *ade20k; i++) {
        for (int c = 0; c < 3; c++)
            rgb[i][c] = (uint8_t)(ade20k[i] >> (16 - 8 * c));
    }
}

void df_palette_fill(struct df_palette *palette, enum df_dataset_kind kind, const char *first_name)
{
    *palette = (struct df_palette){.shows_image = {[DF_IGNORE_LABEL] = true}};
    palette->shows_image[0] = first_name && strcasecmp(first_name, "background") == 0;
    fill_voc(palette->rgb);
    if (kind == DF_DATASET_ADE20K)
        fill_ade20k(palette->rgb);
}

void df_palette_fill_classes(struct df_palette *palette, enum df_dataset_kind kind, const char *first_name,
                             const uint8_t (*colors)[3], int n_classes)
{
    df_palette_fill(palette, kind, first_name);
    for (int i = 0; colors && i < n_classes; i++)
        memcpy(palette->rgb[i], colors[i], sizeof palette->rgb[i]);
}
