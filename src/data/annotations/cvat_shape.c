/* The shapes of CVAT's XML. Points are rounded to whole pixels as numpy.round() does, halves to even, and
 * filled as OpenCV fills them. A rotated box is turned about its middle before. */
#include "cvat.h"

#include "../shapes/fill.h"
#include "../shapes/rle.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

struct element {
    struct df_annotations *annotations;
    int64_t image;
    int label;
    const char **attributes;
};

const char *df_cvat_attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2) {
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    }
    return NULL;
}

static bool read_number(const char **text, double *number)
{
    char *rest;

    *number = strtod(*text, &rest);
    if (rest == *text || !isfinite(*number))
        return false;
    *text = rest;
    return true;
}

static void skip_blanks(const char **text)
{
    while (**text == ' ' || **text == '\n' || **text == '\t')
        ++*text;
}

int df_cvat_number(const char **attributes, const char *name, double *number)
{
    const char *text = df_cvat_attribute(attributes, name);

    if (!text)
        return df_error_set("the attribute %s is missing", name);
    const char *rest = text;
    if (!read_number(&rest, number) || *rest)
        return df_error_set("the attribute %s is '%.40s', a number is expected", name, text);
    return 0;
}

static int read_numbers(const struct element *element, const char *const *names, int count, double *numbers)
{
    for (int i = 0; i < count; i++)
        DF_TRY(df_cvat_number(element->attributes, names[i], &numbers[i]));
    return df_annotations_check_numbers(numbers, (size_t)count);
}

static int add_polygon(const struct element *element, const double *points, size_t count)
{
    double *numbers = df_annotations_numbers(element->annotations, 2 * count);

    if (!numbers)
        return -1;
    for (size_t i = 0; i < 2 * count; i++)
        numbers[i] = rint(points[i]);
    return df_annotations_add_shape(element->annotations, element->image, DF_SHAPE_OPENCV_POLYGON,
                                    element->label, 2 * count, 0);
}

/* "x,y;x,y". points [2 most]. How many; 0 with the error set. */
static size_t read_points(const char *text, double *points, size_t most)
{
    size_t count = 0;

    for (skip_blanks(&text); *text; skip_blanks(&text)) {
        const bool pair = count < most && read_number(&text, &points[2 * count]) && *text++ == ',' &&
                          read_number(&text, &points[2 * count + 1]);
        if (!pair || (*text && *text++ != ';')) {
            df_error_set("point %zu is no pair of numbers", count);
            return 0;
        }
        count++;
    }
    if (count >= 3)
        return count;
    df_error_set("a polygon of %zu points, 3 or more are expected", count);
    return 0;
}

static int add_points(const struct element *element)
{
    const char *text = df_cvat_attribute(element->attributes, "points");
    size_t most = 1;

    for (const char *at = text; at && *at; at++)
        most += *at == ';';
    if (!text)
        return df_error_set("a polygon has no points");
    if (most > DF_POLYGON_POINTS_MAX)
        return df_error_set("a polygon of %zu points, at most %d are drawn", most, DF_POLYGON_POINTS_MAX);
    double *points = malloc(2 * most * sizeof *points);
    if (!points)
        return df_error_memory("a polygon", 2 * most * sizeof *points);
    const size_t count = read_points(text, points, most);
    int status = -1;
    if (count > 0 && df_annotations_check_numbers(points, 2 * count) == 0)
        status = add_polygon(element, points, count);
    free(points);
    return status;
}

static int read_rotation(const struct element *element, double *degrees)
{
    *degrees = 0;
    if (!df_cvat_attribute(element->attributes, "rotation"))
        return 0;
    DF_TRY(df_cvat_number(element->attributes, "rotation", degrees));
    return fabs(*degrees) <= 3600 ? 0 : df_error_set("a rotation of %g degrees", *degrees);
}

static int add_box(const struct element *element)
{
    static const char *const names[] = {"xtl", "ytl", "xbr", "ybr"};
    double box[4], degrees, points[8];

    DF_TRY(read_numbers(element, names, 4, box));
    DF_TRY(read_rotation(element, &degrees));
    const double x = box[0] + (box[2] - box[0]) / 2, y = box[1] + (box[3] - box[1]) / 2;
    const double sine = sin(degrees * (M_PI / 180)), cosine = cos(degrees * (M_PI / 180));
    for (int i = 0; i < 4; i++) {
        const double px = box[i == 1 || i == 2 ? 2 : 0], py = box[i >= 2 ? 3 : 1];
        points[2 * i] = degrees == 0 ? px : x + cosine * (px - x) - sine * (py - y);
        points[2 * i + 1] = degrees == 0 ? py : y + sine * (px - x) + cosine * (py - y);
    }
    return add_polygon(element, points, 4);
}

/* As CVAT's own exports: centre and axes are rounded, the angle too. */
static int add_ellipse(const struct element *element)
{
    static const char *const names[] = {"cx", "cy", "rx", "ry"};
    double given[4], degrees;

    DF_TRY(read_numbers(element, names, 4, given));
    DF_TRY(read_rotation(element, &degrees));
    if (given[2] < 0 || given[3] < 0 || given[2] > DF_ELLIPSE_RADIUS_MAX || given[3] > DF_ELLIPSE_RADIUS_MAX)
        return df_error_set("an ellipse with radii of %g and %g pixels", given[2], given[3]);
    double *numbers = df_annotations_numbers(element->annotations, 5);
    if (!numbers)
        return -1;
    for (int i = 0; i < 4; i++)
        numbers[i] = rint(given[i]);
    numbers[4] = rint(degrees);
    return df_annotations_add_shape(element->annotations, element->image, DF_SHAPE_OPENCV_ELLIPSE,
                                    element->label, 5, 0);
}

/* "3, 5, 2". How many; -1 with the error set. */
static int64_t read_runs(const char *text, uint32_t *runs)
{
    int64_t count = 0;
    double number;

    for (skip_blanks(&text); *text; skip_blanks(&text)) {
        if (!read_number(&text, &number) || number < 0 || number > UINT32_MAX || number != floor(number))
            return df_error_set("run %lld of a mask is no number of pixels", (long long)count);
        skip_blanks(&text);
        if (*text && *text++ != ',')
            return df_error_set("a comma is expected behind run %lld of a mask", (long long)count);
        runs[count++] = (uint32_t)number;
    }
    return count;
}

static int add_mask(const struct element *element)
{
    static const char *const names[] = {"left", "top", "width", "height"};
    const struct df_annotated_image *image = df_annotations_image(element->annotations, element->image);
    const char *text = df_cvat_attribute(element->attributes, "rle");
    double box[4];

    if (!text)
        return df_error_set("the attribute rle is missing");
    DF_TRY(read_numbers(element, names, 4, box));
    for (int i = 0; i < 4; i++) {
        const int64_t side = i % 2 == 0 ? image->width : image->height;
        if (box[i] != floor(box[i]) || box[i] < (i < 2 ? 0 : 1) ||
            box[i] + (i < 2 ? 0 : box[i - 2]) > (double)side)
            return df_error_set("a mask of %g x %g pixels at (%g, %g) in an image of %lld x %lld", box[2],
                                box[3], box[0], box[1], (long long)image->width, (long long)image->height);
    }
    uint32_t *runs = df_annotations_runs(element->annotations, strlen(text) / 2 + 1);
    double *numbers = df_annotations_numbers(element->annotations, 4);
    const int64_t count = runs && numbers ? read_runs(text, runs) : -1;
    if (count < 0)
        return -1;
    if (!df_rle_covers(runs, (size_t)count, (int64_t)box[2] * (int64_t)box[3]))
        return df_error_set("the runs of a mask do not cover its %g x %g pixels", box[2], box[3]);
    memcpy(numbers, box, sizeof box);
    return df_annotations_add_shape(element->annotations, element->image, DF_SHAPE_ROW_RUNS, element->label,
                                    4, (size_t)count);
}

static const struct {
    const char *name;
    int (*add)(const struct element *element);
} elements[] = {{"polygon", add_points}, {"box", add_box}, {"ellipse", add_ellipse}, {"mask", add_mask}};

/* Which lie over which; a shape without one lies at 0. */
static int set_depth(const struct element *element)
{
    double depth;

    if (!df_cvat_attribute(element->attributes, "z_order"))
        return 0;
    DF_TRY(df_cvat_number(element->attributes, "z_order", &depth));
    if (!(fabs(depth) <= 1e9))
        return df_error_set("z_order is %g", depth);
    df_annotations_set_depth(element->annotations, (int32_t)depth);
    return 0;
}

int df_cvat_add_shape(struct df_annotations *annotations, int64_t image, const char *name,
                      const char **attributes)
{
    struct element element = {annotations, image, 0, attributes};
    size_t i = 0;

    while (i < sizeof elements / sizeof elements[0] && strcmp(elements[i].name, name) != 0)
        i++;
    if (i == sizeof elements / sizeof elements[0])
        return 0;
    const char *label = df_cvat_attribute(attributes, "label");
    if (!label)
        return df_error_set("a <%s> without a label", name);
    element.label = df_annotations_label(annotations, label, annotations->path);
    if (element.label < 0 || elements[i].add(&element) != 0 || set_depth(&element) != 0)
        return -1;
    return 1;
}
