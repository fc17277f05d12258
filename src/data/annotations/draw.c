/* An image's mask. */
#include "segments.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

struct order {
    const struct df_annotation *annotation;
    size_t place;
};

static int by_depth(const void *a, const void *b)
{
    const struct order *first = a, *second = b;
    if (first->annotation->depth != second->annotation->depth)
        return first->annotation->depth < second->annotation->depth ? -1 : 1;
    return (first->place > second->place) - (first->place < second->place);
}

/* The image's annotations in order; NULL with the error set. One at least is allocated. */
static struct order *gather(const struct df_annotations *annotations, const struct df_annotated_image *image,
                            size_t *count)
{
    const struct df_annotation *items = annotations->annotations.items;

    *count = 0;
    for (size_t at = image->first; at > 0; at = items[at - 1].next)
        ++*count;
    struct order *order = malloc((*count + 1) * sizeof *order);
    if (!order) {
        df_error_memory("drawing a mask", (*count + 1) * sizeof *order);
        return NULL;
    }
    size_t place = 0;
    for (size_t at = image->first; at > 0; at = items[at - 1].next, place++)
        order[place] = (struct order){&items[at - 1], place};
    if (*count > 0)
        qsort(order, *count, sizeof *order, by_depth);
    return order;
}

static int draw_all(const struct df_annotations *annotations, const struct order *order, size_t count,
                    struct df_canvas *canvas)
{
    const double *numbers = annotations->numbers.items;
    const uint32_t *runs = annotations->runs.items;

    for (size_t i = 0; i < count; i++) {
        const struct df_shape *shape = &order[i].annotation->shape;
        DF_TRY(df_shape_draw(canvas, shape, shape->n_numbers > 0 ? numbers + shape->first_number : NULL,
                             shape->n_runs > 0 ? runs + shape->first_run : NULL));
    }
    return 0;
}

static int draw_shapes(const struct df_annotations *annotations, const struct df_annotated_image *image,
                       struct df_image *mask)
{
    struct df_canvas canvas = {0};
    size_t count;
    struct order *order = gather(annotations, image, &count);
    int status = -1;

    if (order && df_canvas_init(&canvas, mask->width, mask->height, mask->pixels) == 0)
        status = draw_all(annotations, order, count, &canvas);
    df_canvas_free(&canvas);
    free(order);
    return status;
}

int df_annotations_draw(const struct df_annotations *annotations, int64_t number, const int64_t size[2],
                        struct df_image *mask)
{
    const struct df_annotated_image *image = df_annotations_image(annotations, number);
    const int64_t width = image->width > 0 ? image->width : size[0];
    const int64_t height = image->width > 0 ? image->height : size[1];

    DF_TRY(df_image_alloc(mask, width, height, 1));
    memset(mask->pixels, annotations->uncovered, (size_t)(width * height));
    const int status =
        image->segments ? df_segments_draw(annotations, number, mask) : draw_shapes(annotations, image, mask);
    if (status != 0)
        df_image_free(mask);
    return status;
}
