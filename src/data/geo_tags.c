/* The tags of GeoTIFF (OGC 19-008) and what programs add to them. */
#include "geo_tags.h"

#include "tiff_file.h"
#include "dinoft/tiff_write.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_MOST (1 << 20) /* of a tag: points of reference may be many */

#define FIELD(tag, type, count_first, name)                                                                  \
    {                                                                                                        \
        tag, count_first ? TIFF_VARIABLE2 : TIFF_VARIABLE, count_first ? TIFF_VARIABLE2 : TIFF_VARIABLE,     \
            type, FIELD_CUSTOM, 1, count_first, (char *)(name)                                               \
    }

static const TIFFFieldInfo fields[] = {
    FIELD(33550, TIFF_DOUBLE, 1, "ModelPixelScaleTag"),
    FIELD(33922, TIFF_DOUBLE, 1, "ModelTiepointTag"),
    FIELD(34264, TIFF_DOUBLE, 1, "ModelTransformationTag"),
    FIELD(34735, TIFF_SHORT, 1, "GeoKeyDirectoryTag"),
    FIELD(34736, TIFF_DOUBLE, 1, "GeoDoubleParamsTag"),
    FIELD(34737, TIFF_ASCII, 0, "GeoAsciiParamsTag"),
    FIELD(50844, TIFF_DOUBLE, 1, "RPCCoefficientTag"),
    FIELD(TIFFTAG_GDAL_METADATA, TIFF_ASCII, 0, "GDALMetadata"),
    FIELD(TIFFTAG_GDAL_NODATA, TIFF_ASCII, 0, "GDALNoDataValue"),
};

#define COPIED 7 /* the first of them; a value for "none" of the image is none of a mask's */

struct tag {
    uint32_t count; /* of values; 0: the file has none */
    void *values;
};

struct df_geo_tags {
    struct tag tags[COPIED];
    bool has_resolution;
    float resolution_x, resolution_y;
    uint16_t resolution_unit;
};

void df_geo_tags_declare(TIFF *file)
{
    TIFFMergeFieldInfo(file, fields, sizeof fields / sizeof fields[0]);
}

static size_t value_bytes(TIFFDataType type)
{
    return type == TIFF_DOUBLE ? sizeof(double) : type == TIFF_SHORT ? sizeof(uint16_t) : 1;
}

static int read_tag(TIFF *file, const TIFFFieldInfo *info, struct tag *tag)
{
    const TIFFField *field = TIFFFieldWithTag(file, info->field_tag);
    const size_t size = value_bytes(info->field_type);
    const void *values = NULL;
    uint32_t count = 0;

    if (!field || TIFFFieldDataType(field) != info->field_type ||
        !TIFFGetField(file, info->field_tag, &count, &values) || !values || count == 0)
        return 0;
    if (count > VALUES_MOST)
        return df_error_set("its tag %s has %u values, at most %d are accepted", info->field_name, count,
                            VALUES_MOST);
    tag->values = calloc((size_t)count + 1, size); /* a text gets its end, whether it has one or not */
    if (!tag->values)
        return df_error_memory("a tag of a TIFF", ((unsigned long long)count + 1) * size);
    memcpy(tag->values, values, count * size);
    tag->count = count;
    return 0;
}

static int read_tags(struct df_tiff *tiff, struct df_geo_tags *tags)
{
    for (int i = 0; i < COPIED; i++)
        DF_TRY(read_tag(tiff->file, &fields[i], &tags->tags[i]));
    tags->has_resolution = TIFFGetField(tiff->file, TIFFTAG_XRESOLUTION, &tags->resolution_x) &&
                           TIFFGetField(tiff->file, TIFFTAG_YRESOLUTION, &tags->resolution_y);
    TIFFGetFieldDefaulted(tiff->file, TIFFTAG_RESOLUTIONUNIT, &tags->resolution_unit);
    return 0;
}

/* They are said of the pixels as they are stored, and what is written is turned. */
static void drop_tags_of_turned(const char *path, struct df_geo_tags *tags)
{
    bool any = false;

    for (int i = 0; i < COPIED; i++) {
        any = any || tags->tags[i].count > 0;
        tags->tags[i].count = 0;
    }
    if (any)
        df_log("warning: %s is turned by its orientation tag: what is written of it does not say where it "
               "lies on the earth",
               path);
}

struct df_geo_tags *df_geo_tags_read(const char *path)
{
    struct df_geo_tags *tags = calloc(1, sizeof *tags);
    struct df_tiff tiff;
    int status = -1;

    if (!tags) {
        df_error_memory("the tags of a TIFF", sizeof *tags);
        return NULL;
    }
    if (df_tiff_open_large(&tiff, path) == 0 && read_tags(&tiff, tags) == 0) {
        status = 0;
        if (tiff.orientation != 1)
            drop_tags_of_turned(path, tags);
    }
    df_tiff_close(&tiff);
    if (status == 0)
        return tags;
    df_error_context("cannot read the image %s", path);
    df_geo_tags_free(tags);
    return NULL;
}

void df_geo_tags_free(struct df_geo_tags *tags)
{
    for (int i = 0; tags && i < COPIED; i++)
        free(tags->tags[i].values);
    free(tags);
}

static int write_tag(TIFF *file, const TIFFFieldInfo *info, const struct tag *tag)
{
    if (tag->count == 0)
        return 0;
    const int done = info->field_passcount ? TIFFSetField(file, info->field_tag, tag->count, tag->values)
                                           : TIFFSetField(file, info->field_tag, tag->values);
    return done ? 0 : -1;
}

int df_geo_tags_write(const struct df_geo_tags *tags, TIFF *file)
{
    if (!tags)
        return 0;
    for (int i = 0; i < COPIED; i++)
        DF_TRY(write_tag(file, &fields[i], &tags->tags[i]));
    if (!tags->has_resolution)
        return 0;
    return TIFFSetField(file, TIFFTAG_XRESOLUTION, (double)tags->resolution_x) &&
                   TIFFSetField(file, TIFFTAG_YRESOLUTION, (double)tags->resolution_y) &&
                   TIFFSetField(file, TIFFTAG_RESOLUTIONUNIT, tags->resolution_unit)
               ? 0
               : -1;
}
