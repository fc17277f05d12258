/* The colours and names of data sets whose masks are pictures of classes. */
#include "class_table.h"

#include "dinoft/palette.h"

#include <string.h>

#define IGNORED NULL /* in the place of a name */

struct color {
    uint32_t rgb; /* 0xrrggbb */
    const char *name;
};

/* The classes that Cityscapes evaluates; then the colours of its others (gtFine_color). */
static const struct color cityscapes[] = {
    {0x804080, "road"},          {0xf423e8, "sidewalk"},     {0x464646, "building"},
    {0x66669c, "wall"},          {0xbe9999, "fence"},        {0x999999, "pole"},
    {0xfaaa1e, "traffic light"}, {0xdcdc00, "traffic sign"}, {0x6b8e23, "vegetation"},
    {0x98fb98, "terrain"},       {0x4682b4, "sky"},          {0xdc143c, "person"},
    {0xff0000, "rider"},         {0x00008e, "car"},          {0x000046, "truck"},
    {0x003c64, "bus"},           {0x005064, "train"},        {0x0000e6, "motorcycle"},
    {0x770b20, "bicycle"},       {0x000000, IGNORED},        {0x6f4a00, IGNORED},
    {0x510051, IGNORED},         {0xfaaaa0, IGNORED},        {0xe6968c, IGNORED},
    {0xb4a5b4, IGNORED},         {0x966464, IGNORED},        {0x96785a, IGNORED},
    {0x00005a, IGNORED},         {0x00006e, IGNORED},
};

/* CamVid's label_colors.txt: 31 classes and Void. */
static const struct color camvid[] = {
    {0x408040, "Animal"},
    {0xc00080, "Archway"},
    {0x0080c0, "Bicyclist"},
    {0x008040, "Bridge"},
    {0x800000, "Building"},
    {0x400080, "Car"},
    {0x4000c0, "CartLuggagePram"},
    {0xc08040, "Child"},
    {0xc0c080, "Column_Pole"},
    {0x404080, "Fence"},
    {0x8000c0, "LaneMkgsDriv"},
    {0xc00040, "LaneMkgsNonDriv"},
    {0x808040, "Misc_Text"},
    {0xc000c0, "MotorcycleScooter"},
    {0x804040, "OtherMoving"},
    {0x40c080, "ParkingBlock"},
    {0x404000, "Pedestrian"},
    {0x804080, "Road"},
    {0x8080c0, "RoadShoulder"},
    {0x0000c0, "Sidewalk"},
    {0xc08080, "SignSymbol"},
    {0x808080, "Sky"},
    {0x4080c0, "SUVPickupTruck"},
    {0x000040, "TrafficCone"},
    {0x004040, "TrafficLight"},
    {0xc04080, "Train"},
    {0x808000, "Tree"},
    {0xc080c0, "Truck_Bus"},
    {0x400040, "Tunnel"},
    {0xc0c000, "VegetationMisc"},
    {0x000000, IGNORED},
    {0x40c000, "Wall"},
};

static int add(struct df_class_table *table, const uint8_t rgb[3], const char *name, bool with_values)
{
    const int label = name ? table->count : DF_IGNORE_LABEL;

    if (with_values && df_class_table_add_color(table, rgb, label) != 0)
        return -1;
    return name ? df_class_table_add(table, name, strlen(name), rgb) : 0;
}

static int add_all(struct df_class_table *table, const struct color *colors, size_t count, bool with_values)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t rgb[3] = {(uint8_t)(colors[i].rgb >> 16), (uint8_t)(colors[i].rgb >> 8),
                                (uint8_t)colors[i].rgb};
        if (add(table, rgb, colors[i].name, with_values) != 0)
            return -1;
    }
    return 0;
}

/* Those of a data set that is read as it is published. */
static int add_kind(struct df_class_table *table, enum df_dataset_kind kind, bool with_values)
{
    struct df_palette palette;
    int count = 0;
    const char *const *names = df_dataset_names(kind, &count);

    df_palette_fill(&palette, kind, NULL);
    for (int i = 0; i < count; i++) {
        if (add(table, palette.rgb[i], names[i], with_values) != 0)
            return -1;
    }
    return with_values ? add(table, palette.rgb[DF_IGNORE_LABEL], IGNORED, true) : 0;
}

int df_color_table(const char *name, bool with_values, struct df_class_table *table)
{
    if (strcmp(name, "voc") == 0)
        return add_kind(table, DF_DATASET_VOC, with_values);
    if (strcmp(name, "ade20k") == 0 && !with_values) /* two of its classes have one colour */
        return add_kind(table, DF_DATASET_ADE20K, false);
    if (strcmp(name, "cityscapes") == 0)
        return add_all(table, cityscapes, sizeof cityscapes / sizeof *cityscapes, with_values);
    if (strcmp(name, "camvid") == 0)
        return add_all(table, camvid, sizeof camvid / sizeof *camvid, with_values);
    return 1;
}
