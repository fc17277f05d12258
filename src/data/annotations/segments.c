#include "segments.h"

#include "dinoft/error.h"

#include <stdlib.h>

struct segment {
    uint32_t number;
    uint8_t label;
};

static int compare(const void *a, const void *b)
{
    const struct segment *first = a, *second = b;
    return (first->number > second->number) - (first->number < second->number);
}

/* In the order of their numbers; the caller frees. */
static struct segment *sort_segments(const struct df_annotations *annotations, size_t first, size_t *count)
{
    const struct df_annotation *items = annotations->annotations.items;

    *count = 0;
    for (size_t at = first; at > 0; at = items[at - 1].next)
        ++*count;
    struct segment *segments = malloc((*count + 1) * sizeof *segments);
    if (!segments) {
        df_error_memory("the segments of an image", (*count + 1) * sizeof *segments);
        return NULL;
    }
    size_t place = 0;
    for (size_t at = first; at > 0; at = items[at - 1].next)
        segments[place++] = (struct segment){items[at - 1].segment, items[at - 1].shape.label};
    if (*count > 0)
        qsort(segments, *count, sizeof *segments, compare);
    return segments;
}

static int fill(const struct segment *segments, size_t count, const struct df_image *picture,
                struct df_image *mask)
{
    struct segment last = {0, mask->pixels[0]}; /* neighbours are mostly of one segment */

    for (int64_t i = 0; i < mask->width * mask->height; i++) {
        const uint8_t *rgb = picture->pixels + 3 * i;
        const struct segment wanted = {rgb[0] | (uint32_t)rgb[1] << 8 | (uint32_t)rgb[2] << 16, 0};
        if (wanted.number == 0)
            continue;
        if (wanted.number != last.number) {
            const struct segment *found =
                count > 0 ? bsearch(&wanted, segments, count, sizeof wanted, compare) : NULL;
            if (!found)
                return df_error_set("segment %u at column %lld, row %lld is none of the image's %zu",
                                    wanted.number, (long long)(i % mask->width), (long long)(i / mask->width),
                                    count);
            last = *found;
        }
        mask->pixels[i] = last.label;
    }
    return 0;
}

int df_segments_draw(const struct df_annotations *annotations, int64_t number, struct df_image *mask)
{
    const struct df_annotated_image *image = df_annotations_image(annotations, number);
    struct df_image picture = {0};
    size_t count;
    int status = -1;

    struct segment *segments = sort_segments(annotations, image->first, &count);
    if (segments && df_image_read(image->segments, NULL, &picture) == 0) {
        if (picture.width == mask->width && picture.height == mask->height)
            status = fill(segments, count, &picture, mask);
        else
            df_error_set("it has %lld x %lld pixels, %s says %lld x %lld", (long long)picture.width,
                         (long long)picture.height, annotations->path, (long long)mask->width,
                         (long long)mask->height);
        if (status != 0)
            df_error_context("%s", image->segments);
    }
    df_image_free(&picture);
    free(segments);
    return status;
}
