/* Names of data sets, and of the built-in ones' classes: VOC's own, and the first word for each of
 * SceneParse150's. */
#include "dinoft/dataset.h"

#include <string.h>

static const char *const kind_names[] = {DF_DATASET_KINDS(DF_CHOICE_TEXT)};

static const char *const voc_names[] = {
    "background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
    "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
    "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor",
};

static const char *const ade20k_names[] = {
    "wall",
    "building",
    "sky",
    "floor",
    "tree",
    "ceiling",
    "road",
    "bed",
    "windowpane",
    "grass",
    "cabinet",
    "sidewalk",
    "person",
    "earth",
    "door",
    "table",
    "mountain",
    "plant",
    "curtain",
    "chair",
    "car",
    "water",
    "painting",
    "sofa",
    "shelf",
    "house",
    "sea",
    "mirror",
    "rug",
    "field",
    "armchair",
    "seat",
    "fence",
    "desk",
    "rock",
    "wardrobe",
    "lamp",
    "bathtub",
    "railing",
    "cushion",
    "base",
    "box",
    "column",
    "signboard",
    "chest of drawers",
    "counter",
    "sand",
    "sink",
    "skyscraper",
    "fireplace",
    "refrigerator",
    "grandstand",
    "path",
    "stairs",
    "runway",
    "case",
    "pool table",
    "pillow",
    "screen door",
    "stairway",
    "river",
    "bridge",
    "bookcase",
    "blind",
    "coffee table",
    "toilet",
    "flower",
    "book",
    "hill",
    "bench",
    "countertop",
    "stove",
    "palm",
    "kitchen island",
    "computer",
    "swivel chair",
    "boat",
    "bar",
    "arcade machine",
    "hovel",
    "bus",
    "towel",
    "light",
    "truck",
    "tower",
    "chandelier",
    "awning",
    "streetlight",
    "booth",
    "television receiver",
    "airplane",
    "dirt track",
    "apparel",
    "pole",
    "land",
    "bannister",
    "escalator",
    "ottoman",
    "bottle",
    "buffet",
    "poster",
    "stage",
    "van",
    "ship",
    "fountain",
    "conveyer belt",
    "canopy",
    "washer",
    "plaything",
    "swimming pool",
    "stool",
    "barrel",
    "basket",
    "waterfall",
    "tent",
    "bag",
    "minibike",
    "cradle",
    "oven",
    "ball",
    "food",
    "step",
    "tank",
    "trade name",
    "microwave",
    "pot",
    "animal",
    "bicycle",
    "lake",
    "dishwasher",
    "screen",
    "blanket",
    "sculpture",
    "hood",
    "sconce",
    "vase",
    "traffic light",
    "tray",
    "ashcan",
    "fan",
    "pier",
    "crt screen",
    "plate",
    "monitor",
    "bulletin board",
    "shower",
    "radiator",
    "glass",
    "clock",
    "flag",
};

static const struct {
    const char *const *names;
    size_t count;
} built_in[DF_DATASET_KIND_COUNT] = {
    [DF_DATASET_VOC] = {voc_names, sizeof voc_names / sizeof voc_names[0]},
    [DF_DATASET_ADE20K] = {ade20k_names, sizeof ade20k_names / sizeof ade20k_names[0]},
};

const char *df_dataset_kind_name(enum df_dataset_kind kind)
{
    return kind_names[kind];
}

bool df_dataset_kind_named(const char *name, enum df_dataset_kind *kind)
{
    for (int i = 0; i < DF_DATASET_KIND_COUNT; i++) {
        if (strcmp(kind_names[i], name) == 0) {
            *kind = (enum df_dataset_kind)i;
            return true;
        }
    }
    return false;
}

const char *const *df_dataset_names(enum df_dataset_kind kind, int *n_classes)
{
    if (n_classes && built_in[kind].names)
        *n_classes = (int)built_in[kind].count;
    return built_in[kind].names;
}

bool df_dataset_of_size(int64_t classes, enum df_dataset_kind *kind)
{
    for (int i = 0; i < DF_DATASET_KIND_COUNT; i++) {
        *kind = (enum df_dataset_kind)i;
        if (built_in[i].names && (int64_t)built_in[i].count == classes)
            return true;
    }
    return false;
}
