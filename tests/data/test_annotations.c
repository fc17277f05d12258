/* Annotation files of each format give the masks that the formats' own tools draw
 * (tests/fixtures/annotations/make.py), and faults in them are told with the file and the place. */
#include "src/data/annotations/readers.h"

#include "support/allocations.h"
#include "support/cmocka_all.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int reader(struct df_annotations *annotations, const struct df_annotation_source *source);

struct format {
    const char *name;
    reader *read;
    const char *file, *names; /* in the format's folder of fixtures */
    const char *ending;       /* of its images */
    int images;
    const char *classes;
};

static const struct format coco = {
    "coco", df_coco_read, "instances.json", NULL, "png", 6, "background cat dog tree"};
static const struct format panoptic = {"panoptic", df_coco_read,  "panoptic.json", NULL, "jpg",
                                       3,          "cat dog tree"};
static const struct format labelme = {"labelme", df_labelme_read,          ".", NULL, "png",
                                      4,         "background cat dog tree"};
static const struct format yolo = {
    "yolo", df_yolo_read, "labels", "data.yaml", "png", 4, "background cat dog tree"};
static const struct format cvat = {
    "cvat", df_cvat_read, "annotations.xml", NULL, "png", 5, "background cat dog tree"};

/* What was read, or NULL with the error set. */
static struct df_annotations *open_source(reader *read, const struct df_annotation_source *source,
                                          const struct df_given_names *given)
{
    struct df_annotations *annotations = df_annotations_new(source->path);

    if (annotations && read(annotations, source) == 0 && df_annotations_settle(annotations, given) == 0)
        return annotations;
    df_annotations_free(annotations);
    return NULL;
}

/* Empty pictures, since these readers want their names alone. */
static char *make_pictures(const char *folder, const char *ending, int count)
{
    char name[64];

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%d.%s", folder, i, ending);
        scratch_write_text(name, "");
    }
    return df_text_copy(scratch_path(folder));
}

static struct df_annotation_source fixture_source(const struct format *format)
{
    struct df_annotation_source source = {
        .path = df_text_format("%s/annotations/%s/%s", DINOFT_FIXTURES, format->name, format->file),
        .names = df_text_format("%s/annotations/%s/%s", DINOFT_FIXTURES, format->name,
                                format->names ? format->names : ""),
        .images = make_pictures(format->name, format->ending, format->images)};

    assert_true(source.path && source.images && source.names);
    return source;
}

static void free_source(struct df_annotation_source *source)
{
    free(source->path);
    free(source->names);
    free(source->images);
}

static struct df_annotations *open_fixture(const struct format *format)
{
    struct df_annotation_source source = fixture_source(format);
    struct df_annotations *annotations = open_source(format->read, &source, NULL);

    assert_works(annotations);
    free_source(&source);
    return annotations;
}

static void assert_classes(const struct df_annotations *annotations, const char *expected)
{
    char text[256] = "";

    for (int i = 0; i < annotations->n_classes; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "", annotations->class_names[i]);
    }
    assert_string_equal(text, expected);
}

/* The bytes behind the mask. */
static const unsigned char *compare_mask(const struct df_annotations *annotations, int number,
                                         const char *ending, const unsigned char *bytes)
{
    const int64_t size[2] = {bytes[0] | bytes[1] << 8, bytes[2] | bytes[3] << 8};
    char name[32];
    struct df_image mask;

    snprintf(name, sizeof name, "images/%d.%s", number, ending);
    const int64_t image = df_annotations_find(annotations, name);
    assert_true(image >= 0);
    assert_works(df_annotations_draw(annotations, image, size, &mask) == 0);
    assert_int_equal(mask.width, size[0]);
    assert_int_equal(mask.height, size[1]);
    assert_memory_equal(mask.pixels, bytes + 4, (size_t)(size[0] * size[1]));
    df_image_free(&mask);
    return bytes + 4 + size[0] * size[1];
}

static void draws_as_the_tool(void **state)
{
    const struct format *format = *state;
    struct df_annotations *annotations = open_fixture(format);
    char path[512];
    size_t size;

    snprintf(path, sizeof path, "%s/annotations/%s/masks.bin", DINOFT_FIXTURES, format->name);
    unsigned char *bytes = read_whole(path, &size);
    const unsigned char *at = bytes;
    assert_non_null(bytes);
    assert_int_equal(annotations->images.count, format->images);
    assert_classes(annotations, format->classes);
    for (int i = 0; i < format->images; i++)
        at = compare_mask(annotations, i, format->ending, at);
    assert_true(at == bytes + size);
    free(bytes);
    df_annotations_free(annotations);
}

/* The last image's mask; 0, or -1 with the error set. */
static int open_and_draw(const struct format *format, const struct df_annotation_source *source,
                         struct df_image *mask)
{
    static const int64_t size[2] = {30, 20};
    struct df_annotations *annotations = open_source(format->read, source, NULL);
    int status = -1;

    *mask = (struct df_image){0};
    if (annotations)
        status = df_annotations_draw(annotations, format->images - 2, size, mask);
    df_annotations_free(annotations);
    return status;
}

/* Each call that wants memory fails once, and the mask is whole or an error. */
static void runs_out_of_memory(void **state)
{
    const struct format *format = *state;
    struct df_image whole, mask;
    long calls = 0;

    if (!allocations_can_be_counted())
        skip();
    struct df_annotation_source source = fixture_source(format);
    assert_works(open_and_draw(format, &source, &whole) == 0);
    for (long n = 0; n <= calls; n++) {
        df_error_set("an earlier error");
        allocations_fail(n, 1);
        const int status = open_and_draw(format, &source, &mask);
        calls = allocations_end_failing();
        if (status == 0)
            assert_memory_equal(mask.pixels, whole.pixels, (size_t)(whole.width * whole.height));
        else if (n >= calls || strcmp(df_error_text(), "an earlier error") == 0)
            fail_msg("%s, call %ld of %ld: %s", format->name, n, calls, df_error_text());
        df_image_free(&mask);
    }
    assert_true(calls > 0);
    df_image_free(&whole);
    free_source(&source);
}

/* A changed number, class or order changes the digest; a changed file name does not. */
static uint64_t digest_of(const char *text)
{
    const struct df_annotation_source source = {.path = (char *)scratch_write_text("digest.json", text)};
    struct df_annotations *annotations = open_source(df_coco_read, &source, NULL);
    struct df_digest digest;

    assert_works(annotations);
    df_digest_start(&digest);
    df_annotations_digest(annotations, 0, &digest);
    df_annotations_free(annotations);
    return df_digest_value(&digest);
}

#define COCO_START "{\"images\":[{\"id\":1,\"file_name\":\"a.jpg\",\"width\":4,\"height\":3}],"
#define COCO_TREE  "\"categories\":[{\"id\":1,\"name\":\"tree\"},{\"id\":2,\"name\":\"cat\"}],"
#define OBJECT(category, shape)                                                                              \
    "{\"id\":1,\"image_id\":1,\"category_id\":" #category ",\"segmentation\":" shape "}"
#define POLYGON "[[0,0,3,0,3,2]]"

static void digests(void **state)
{
    const uint64_t first = digest_of(COCO_START COCO_TREE "\"annotations\":[" OBJECT(1, POLYGON) "]}");

    assert_true(first == digest_of(COCO_START COCO_TREE "\n\"annotations\":[ " OBJECT(1, POLYGON) "]}"));
    assert_true(first != digest_of(COCO_START COCO_TREE "\"annotations\":[" OBJECT(2, POLYGON) "]}"));
    assert_true(first !=
                digest_of(COCO_START COCO_TREE "\"annotations\":[" OBJECT(1, "[[0,0,3,0,3,1]]") "]}"));
    assert_true(first != digest_of(COCO_START COCO_TREE "\"annotations\":[]}"));
}

/* --- faults --- */

static void assert_refused(reader *read, const char *name, const char *text, const char *words)
{
    struct df_annotation_source source = {.path = df_text_copy(scratch_write_text(name, text)),
                                          .images = (char *)"."};

    struct df_annotations *annotations = open_source(read, &source, NULL);
    if (annotations)
        fail_msg("%s was taken, \"%s\" is expected", text, words);
    assert_error_has(words);
    assert_error_has(name);
    free(source.path);
}

static void faults_of_coco(void **state)
{
#define REFUSED(text, words) assert_refused(df_coco_read, "faults.json", text, words)
#define REFUSED_OBJECT(object, words)                                                                        \
    REFUSED(COCO_START COCO_TREE "\"annotations\":[" OBJECT(1, POLYGON) "," object "]}", words);             \
    assert_error_has("element 1 of 'annotations'")
    REFUSED("[]", "an object is expected");
    REFUSED("{}", "no 'categories'");
    REFUSED(COCO_START COCO_TREE "\"annotations\":[", "not JSON");
    REFUSED(COCO_START COCO_TREE "\"annotations\":[{]}", "not JSON");
    REFUSED(COCO_START COCO_TREE "\"annotations\":[]} x", "not JSON");
    REFUSED(COCO_START COCO_TREE "\"annotations\":5}", "a list is expected");
    REFUSED(COCO_START
            "\"categories\":[{\"id\":1,\"name\":\"a\"},{\"id\":1,\"name\":\"b\"}],\"annotations\":[]}",
            "the id 1 is there twice");
    REFUSED(COCO_START
            "\"categories\":[{\"id\":1,\"name\":\"a\"},{\"id\":2,\"name\":\"a\"}],\"annotations\":[]}",
            "another category is called 'a' too");
    REFUSED(COCO_START "\"categories\":[],\"annotations\":[]}", "no classes");
    REFUSED("{\"images\":[{\"id\":1.5,\"file_name\":\"a\"}]," COCO_TREE "\"annotations\":[]}",
            "'id' is no whole number");
    REFUSED("{\"images\":[{\"id\":1}]," COCO_TREE "\"annotations\":[]}", "'file_name' is missing");
    REFUSED("{\"images\":[{\"id\":1,\"file_name\":\"a\",\"width\":1e9,\"height\":1}]," COCO_TREE
            "\"annotations\":[]}",
            "element 0 of 'images'");
    REFUSED_OBJECT(OBJECT(9, POLYGON), "'category_id' is 9, and there is none of that id");
    REFUSED_OBJECT("{\"id\":2,\"image_id\":3,\"category_id\":1,\"segmentation\":[]}", "'image_id' is 3");
    REFUSED_OBJECT("7", "'id' is missing");
    REFUSED_OBJECT(OBJECT(1, "[[0,0,3,0,3]]"), "a polygon has 5 numbers, which are no pairs");
    REFUSED_OBJECT(OBJECT(1, "[[0,0,3,0,3,1e99]]"), "a coordinate is 1e+99");
    REFUSED_OBJECT(OBJECT(1, "[[0,0,3,0,3,NaN]]"), "not JSON");
    REFUSED_OBJECT(OBJECT(1, "[[0,0,3,0,3,null]]"), "a coordinate is no number");
    REFUSED_OBJECT(OBJECT(1, "[1,2,3]"), "no list of numbers");
    REFUSED_OBJECT(OBJECT(1, "\"x\""), "neither a list of polygons nor runs");
    REFUSED_OBJECT(OBJECT(1, "{\"size\":[3,4]}"), "no 'counts'");
    REFUSED_OBJECT(OBJECT(1, "{\"counts\":[5,7]}"), "without a 'size'");
    REFUSED_OBJECT(OBJECT(1, "{\"size\":[4,3],\"counts\":[5,7]}"),
                   "runs for 3 x 4 pixels, the image a.jpg has 4 x 3");
    REFUSED_OBJECT(OBJECT(1, "{\"size\":[3,4],\"counts\":[5,8]}"), "do not cover 4 x 3 pixels");
    REFUSED_OBJECT(OBJECT(1, "{\"size\":[3,4],\"counts\":[5,-7]}"), "a run is no whole number");
    REFUSED_OBJECT(OBJECT(1, "{\"size\":[3,4],\"counts\":\"5~\"}"), "compressed runs hold the byte 0x7e");
    REFUSED(COCO_START COCO_TREE "\"annotations\":[" OBJECT(1, "[]") "]}",
            "1 objects, and none with a segmentation");
#undef REFUSED_OBJECT
#undef REFUSED
}

static void faults_of_panoptic(void **state)
{
    static const char start[] =
        COCO_START COCO_TREE "\"annotations\":[{\"image_id\":1,\"file_name\":\"a.png\",";
    char text[512];
#define REFUSED(rest, words)                                                                                 \
    snprintf(text, sizeof text, "%s\"segments_info\":%s}]}", start, rest);                                   \
    assert_refused(df_coco_read, "panoptic_faults.json", text, words)
    REFUSED("5", "'segments_info' is missing");
    REFUSED("[{\"id\":0,\"category_id\":1}]", "the id 0; 1 to 16777215 are expected");
    REFUSED("[{\"id\":5,\"category_id\":4}]", "segment 5: 'category_id' is 4");
    REFUSED("[]},{\"image_id\":1,\"file_name\":\"a.png\",\"segments_info\":[]",
            "has a picture of segments already");
#undef REFUSED
}

static void faults_of_cvat(void **state)
{
    static const char start[] = "<annotations><meta><label><name>cat</name></label></meta>"
                                "<image name='a.png' width='9' height='9'>\n";
    char text[512];
#define REFUSED(shape, words)                                                                                \
    snprintf(text, sizeof text, "%s%s</image></annotations>", start, shape);                                 \
    assert_refused(df_cvat_read, "faults.xml", text, words);                                                 \
    assert_error_has("line 2")
    assert_refused(df_cvat_read, "faults.xml", "", "there is no element");
    assert_refused(df_cvat_read, "faults.xml", "<html/>", "<annotations> is expected");
    assert_refused(df_cvat_read, "faults.xml", "<!DOCTYPE a><annotations/>", "a document type");
    assert_refused(df_cvat_read, "faults.xml", "<annotations><track/></annotations>",
                   "CVAT's format for video");
    assert_refused(df_cvat_read, "faults.xml", "<annotations><image/></annotations>",
                   "an <image> without a name");
    assert_refused(df_cvat_read, "faults.xml",
                   "<annotations><image name='a' width='0' height='3'/></annotations>", "0 x 3 pixels");
    assert_refused(df_cvat_read, "faults.xml", "<annotations>",
                   "line 1: the end of <annotations> is missing");
    REFUSED("<polygon/>", "a <polygon> without a label");
    REFUSED("<box label='dog' xtl='1' ytl='2' xbr='4' ybr='3'/>",
            "the label 'dog' is none of those in <meta>");
    REFUSED("<polygon label='cat'/>", "a polygon has no points");
    REFUSED("<polygon label='cat' points='1,2;3,4'/>", "a polygon of 2 points");
    REFUSED("<polygon label='cat' points='1,2;3,4;5'/>", "point 2 is no pair of numbers");
    REFUSED("<polygon label='cat' points='1,2;3,4;nan,1'/>", "point 2 is no pair of numbers");
    REFUSED("<polygon label='cat' points='1,2;3,4;1e9,1'/>", "a coordinate is 1e+09");
    REFUSED("<box label='cat' xtl='1' ytl='2' xbr='x' ybr='3'/>", "xbr is 'x', a number is expected");
    REFUSED("<box label='cat' xtl='1' ytl='2' xbr='4'/>", "the attribute ybr is missing");
    REFUSED("<ellipse label='cat' cx='1' cy='2' rx='-4' ry='4'/>", "radii of -4 and 4");
    REFUSED("<mask label='cat' left='1' top='1' width='9' height='2' rle='18'/>",
            "a mask of 9 x 2 pixels at (1, 1)");
    REFUSED("<mask label='cat' left='1' top='1' width='2' height='2' rle='1, 2'/>", "do not cover its 2 x 2");
    REFUSED("<mask label='cat' left='1' top='1' width='2' height='2' rle='1; 3'/>", "a comma is expected");
    REFUSED("<box label='cat' xtl='1' ytl='2' xbr='4' ybr='3' z_order='up'/>", "z_order is 'up'");
#undef REFUSED
}

static void labels_in_xml(void **state)
{
    const char *path = scratch_write_text(
        "labels.xml",
        "\xef\xbb\xbf<?xml version='1.0' encoding=\"utf-8\"?>\n<!-- <label> -->\n<annotations><meta><labels>"
        "<label ><name>a &lt;b&gt; &amp;</name><attributes><name>no</name></attributes></label>"
        "<label><name><![CDATA[c & d]]></name></label><label><name>&#xe9;t&#233;</name></label>"
        "</labels></meta>\n<image name = 'x &quot;1&quot;.png' width='9' height='9' ><tag label='a' "
        "/></image>"
        "</annotations >\n<!-- - -->");
    const struct df_annotation_source source = {.path = (char *)path};
    struct df_annotations *annotations = open_source(df_cvat_read, &source, NULL);

    assert_works(annotations);
    assert_classes(annotations, "background a <b> & c & d \xc3\xa9t\xc3\xa9");
    assert_string_equal(df_annotations_image(annotations, 0)->name, "x \"1\".png");
    assert_int_equal(annotations->left_out, 1);
    df_annotations_free(annotations);
#define REFUSED(text, words) assert_refused(df_cvat_read, "faults.xml", text, words)
    REFUSED("<annotations></annotation>", "</annotation> ends <annotations>");
    REFUSED("<annotations/><annotations/>", "behind the end of the first");
    REFUSED("</annotations>", "not open");
    REFUSED("<annotations/>x", "text that is in no element");
    REFUSED("<annotations>&nbsp;</annotations>", "a reference that begins with '&'");
    REFUSED("<annotations>&#xd800;</annotations>", "a reference that begins with '&'");
    REFUSED("<annotations a/>", "'=' is missing");
    REFUSED("<annotations a=1/>", "attribute a has no quotes");
    REFUSED("<annotations a='1/>", "attribute a does not end");
    REFUSED("<annotations><!-- ", "'-->' is missing");
    REFUSED("<?xml version='1.0' encoding='utf-16'?><annotations/>", "not UTF-8");
    REFUSED("<>", "a name is expected");
#undef REFUSED
}

static void assert_labelme_refused(const char *text, const char *words)
{
    const char *path = scratch_write_text("refused/0.json", text);
    char folder[256];

    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen("/0.json")), path);
    struct df_annotation_source source = {.path = folder, .images = make_pictures("pictures", "jpg", 1)};
    struct df_annotations *annotations = open_source(df_labelme_read, &source, NULL);
    if (annotations)
        fail_msg("%s was taken, \"%s\" is expected", text, words);
    assert_error_has(words);
    assert_error_has("0.json");
    free(source.images);
}

static void faults_of_labelme(void **state)
{
#define REFUSED(shape, words)                                                                                \
    assert_labelme_refused("{\"imageWidth\":9,\"imageHeight\":9,\"shapes\":[" shape "]}", words);            \
    assert_error_has("shape 0")
#define SHAPE(type, points) "{\"label\":\"cat\",\"shape_type\":\"" type "\",\"points\":" points "}"
    assert_labelme_refused("{", "is not JSON");
    assert_error_has("the annotations of the image 0.jpg");
    assert_labelme_refused("{}", "no 'shapes'");
    assert_labelme_refused("{\"imageWidth\":-1,\"shapes\":[]}", "'imageWidth' is no number of pixels");
    assert_labelme_refused("{\"imageWidth\":30000,\"imageHeight\":30000,\"shapes\":[]}", "pixels");
    REFUSED("{\"points\":[]}", "'label' is missing");
    REFUSED("{\"label\":\"\",\"points\":[]}", "a label has 0 bytes");
    REFUSED(SHAPE("cuboid", "[]"), "shape_type 'cuboid' is none of");
    REFUSED(SHAPE("polygon", "[[1,2],[3,4]]"), "a polygon of 2 points, 3 or more are expected");
    REFUSED(SHAPE("circle", "[[1,2],[3,4],[5,6]]"), "a circle of 3 points, 2 are expected");
    REFUSED(SHAPE("circle", "[[1,2],[60000,4]]"), "a circle with a radius of 59999 pixels");
    REFUSED(SHAPE("point", "[[1]]"), "a point is no pair of numbers");
    REFUSED(SHAPE("point", "[[1,1e9]]"), "a coordinate is 1e+09");
    REFUSED(SHAPE("mask", "[[1,1],[2,2]]"), "a mask without a picture");
    REFUSED("{\"label\":\"cat\",\"shape_type\":\"mask\",\"points\":[[1,1],[2,2]],\"mask\":\"*\"}",
            "not in base64");
    REFUSED("{\"label\":\"cat\",\"shape_type\":\"mask\",\"points\":[[1,1],[2,2]],\"mask\":\"iVBO\"}", "PNG");
#undef SHAPE
#undef REFUSED
}

static void assert_yolo_refused(const char *yaml, const char *text, const char *words)
{
    const char *path = scratch_write_text("refused/0.txt", text);
    char folder[256];

    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen("/0.txt")), path);
    struct df_annotation_source source = {.path = folder,
                                          .names = df_text_copy(scratch_write_text("data.yaml", yaml)),
                                          .images = make_pictures("pictures", "jpg", 1)};
    struct df_annotations *annotations = open_source(df_yolo_read, &source, NULL);
    if (annotations)
        fail_msg("%s was taken, \"%s\" is expected", text, words);
    assert_error_has(words);
    free(source.images);
    free(source.names);
}

static void faults_of_yolo(void **state)
{
#define REFUSED(text, words)                                                                                 \
    assert_yolo_refused("names: [cat]", "0 0 0 1 0 1 1\n\n" text, words);                                    \
    assert_error_has("0.txt: line 3")
    REFUSED("0 0.5 0.5 0.1 0.1", "a box, not a polygon");
    REFUSED("0 0 0 1 0 1", "5 numbers behind the class");
    REFUSED("1 0 0 1 0 1 1", "class 1, 0 to 0 are named");
    REFUSED("-1 0 0 1 0 1 1", "class -1");
    REFUSED("0.5 0 0 1 0 1 1", "class 0.5");
    REFUSED("0 0 0 1 0 1 x", "'x' is no number");
    REFUSED("0 0 0 1 0 1 nan", "'nan' is no number");
    REFUSED("0 0 0 320 0 1 1", "the coordinate 320 is no share");
    assert_yolo_refused("nc: 3\n", "", "there is no entry 'names'");
    assert_yolo_refused("names: cat\n", "", "a list is expected");
    assert_yolo_refused("names: [cat", "", "a comma or the list's end");
    assert_yolo_refused("names:\n  0: cat\n  2: dog\n", "", "the next number and a colon");
    assert_yolo_refused("names:\n- cat\n- cat\n", "", "two classes are called 'cat'");
    assert_yolo_refused("names: ['cat]\n", "", "a quote is expected");
    assert_yolo_refused("names:\nnc: 3\n", "", "there are no names");
#undef REFUSED
}

static void names_of_yolo(void **state)
{
    static const char *const texts[] = {
        "names: [cat, 'a dog', \"tree\"]\nnc: 3\n",
        "nc: 3\nnames:\n  [\n    cat, # small\n    a dog,\n    tree,\n  ]\n",
        "names: {0: cat, 1: a dog, 2: tree}",
        "names:\n- cat\n- a dog\n- tree\ntrain: x\n",
        "names:\r\n  - cat\r\n  - 'a dog'\r\n\r\n  # more\r\n  - tree\r\n",
        "names:\n  0: cat\n  1: a dog\n  2: tree\ndownload: |\n  names\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct df_annotation_source source = {.path = (char *)".",
                                              .names =
                                                  df_text_copy(scratch_write_text("names.yaml", texts[i])),
                                              .images = make_pictures("pictures", "jpg", 1)};
        scratch_write_text("txt/0.txt", "");
        source.path = df_text_copy(scratch_path("txt"));
        struct df_annotations *annotations = open_source(df_yolo_read, &source, NULL);
        assert_works(annotations);
        assert_classes(annotations, "background cat a dog tree");
        df_annotations_free(annotations);
        free(source.path);
        free(source.names);
        free(source.images);
    }
}

/* --- classes --- */

/* names: with a blank behind each; NULL: nobody has said. */
static struct df_annotations *open_with_names(const char *categories, const char *names)
{
    static char words[8][32];
    static const char *pointers[8];
    struct df_given_names given = {pointers, 0, "names.txt"};
    char text[1024];
    int length = 0;

    for (const char *at = names; at && sscanf(at, "%31s%n", words[given.count], &length) == 1; at += length) {
        pointers[given.count] = words[given.count];
        given.count++;
    }
    snprintf(text, sizeof text, COCO_START "\"categories\":[%s],\"annotations\":[]}", categories);
    const char *path = scratch_write_text("named.json", text);
    const struct df_annotation_source source = {.path = (char *)path};
    return open_source(df_coco_read, &source, names ? &given : NULL);
}

static void assert_named(const char *categories, const char *names, const char *expected, int uncovered)
{
    struct df_annotations *annotations = open_with_names(categories, names);

    assert_works(annotations);
    assert_classes(annotations, expected);
    assert_int_equal(annotations->uncovered, uncovered);
    df_annotations_free(annotations);
}

static void names_that_are_given(void **state)
{
    static const char categories[] = "{\"id\":4,\"name\":\"cat\"},{\"id\":3,\"name\":\"dog\"}";

    assert_named(categories, NULL, "background dog cat", 0);
    assert_named("{\"id\":0,\"name\":\"cat\"},{\"id\":3,\"name\":\"Background\"}", NULL, "Background cat", 0);
    assert_named(categories, "cat _background_ dog bird", "cat _background_ dog bird", 1);
    assert_named(categories, "__ignore__ _background_ cat dog", "_background_ cat dog", 0);
    assert_null(open_with_names(categories, "cat dog"));
    assert_error_has("names no class 'background'");
    assert_null(open_with_names(categories, "background cat"));
    assert_error_has("named.json: the label 'dog' is none of the 2 classes of names.txt");
    assert_null(open_with_names(categories, "background cat cat"));
    assert_error_has("names 'cat' twice");
}

static void images_are_found_by_their_ends(void **state)
{
    struct df_annotations *annotations = df_annotations_new("file");
    static const char *const names[] = {"train/a.jpg", "val/a.jpg", "val/ba.jpg", "b.jpg"};

    assert_works(annotations);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(df_annotations_add_image(annotations, names[i], 0, 0), i);
    assert_works(df_annotations_index(annotations) == 0);
    assert_int_equal(df_annotations_find(annotations, "root/images/val/a.jpg"), 1);
    assert_int_equal(df_annotations_find(annotations, "root/images/train/a.jpg"), 0);
    assert_int_equal(df_annotations_find(annotations, "x/b.jpg"), 3);
    assert_int_equal(df_annotations_find(annotations, "ba.jpg"), 2);
    assert_int_equal(df_annotations_find(annotations, "x/c.jpg"), -1);
    assert_error_has("file has no image x/c.jpg");
    assert_int_equal(df_annotations_find(annotations, "a.jpg"), -1);
    assert_error_has("file has several images that may be a.jpg");
    df_annotations_free(annotations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ROW("coco", draws_as_the_tool, (void *)&coco),
        TEST_ROW("panoptic", draws_as_the_tool, (void *)&panoptic),
        TEST_ROW("labelme", draws_as_the_tool, (void *)&labelme),
        TEST_ROW("yolo", draws_as_the_tool, (void *)&yolo),
        TEST_ROW("cvat", draws_as_the_tool, (void *)&cvat),
        TEST_ROW("coco without memory", runs_out_of_memory, (void *)&coco),
        TEST_ROW("panoptic without memory", runs_out_of_memory, (void *)&panoptic),
        TEST_ROW("labelme without memory", runs_out_of_memory, (void *)&labelme),
        TEST_ROW("yolo without memory", runs_out_of_memory, (void *)&yolo),
        TEST_ROW("cvat without memory", runs_out_of_memory, (void *)&cvat),
        cmocka_unit_test(digests),
        cmocka_unit_test(faults_of_coco),
        cmocka_unit_test(faults_of_panoptic),
        cmocka_unit_test(faults_of_labelme),
        cmocka_unit_test(faults_of_yolo),
        cmocka_unit_test(faults_of_cvat),
        cmocka_unit_test(labels_in_xml),
        cmocka_unit_test(names_of_yolo),
        cmocka_unit_test(names_that_are_given),
        cmocka_unit_test(images_are_found_by_their_ends),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
