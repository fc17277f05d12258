#include "dinoft/image_scores_csv.h"

#include "csv.h"

#include "dinoft/atomic_write.h"

#include <inttypes.h>

static void write_line(FILE *stream, const struct df_image_scores *scores, char *const *class_names)
{
    df_csv_text(stream, scores->name);
    putc(',', stream);
    df_csv_number(stream, scores->miou);
    putc(',', stream);
    df_csv_number(stream, scores->pixel_accuracy);
    putc(',', stream);
    df_csv_number(stream, scores->reference_iou);
    putc(',', stream);
    df_csv_number(stream, scores->reference_miou);
    putc(',', stream);
    df_csv_number(stream, scores->loss);
    fprintf(stream, ",%" PRId64 ",", scores->pixels);
    if (scores->worst_class >= 0)
        df_csv_text(stream, class_names[scores->worst_class]);
    putc(',', stream);
    df_csv_number(stream, scores->worst_iou);
    putc('\n', stream);
}

int df_image_scores_write_csv(const char *path, const struct df_image_scores_list *list,
                              char *const *class_names)
{
    struct df_atomic_file *file = df_atomic_open(path);
    if (!file)
        return -1;
    FILE *stream = df_atomic_stream(file);
    fputs("image,miou,pixel_accuracy,reference_iou,reference_miou,loss,counted_pixels,worst_class,"
          "worst_class_iou\n",
          stream);
    for (size_t i = 0; i < list->count; i++)
        write_line(stream, &list->items[i], class_names);
    return df_atomic_commit(file);
}
