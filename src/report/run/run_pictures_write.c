/* The images of a run's validations on its page: image, label, and what was predicted as time went on. */
#include "run_pictures.h"

#include "../class_panel.h"
#include "../html.h"

#include "dinoft/error.h"
#include "dinoft/legend.h"
#include "dinoft/overlay.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdlib.h>

#define JPEG_QUALITY 88
#define MOST_SIDE    224 /* pixels of a picture */

/* A page's pictures and what they show. */
struct gallery {
    FILE *page;
    const struct run_pictures *pictures;
    struct df_overlay_style style;
    struct df_legend legend;
};

static int write_picture(FILE *page, const struct df_image *picture, const char *caption)
{
    size_t size;
    void *jpeg = df_jpeg_encode(picture, JPEG_QUALITY, &size);

    if (!jpeg)
        return -1;
    df_html_figure(page, "image/jpeg", jpeg, size, picture->width, picture->height, caption);
    free(jpeg);
    return 0;
}

/* Classes over the image. */
static int write_classes(struct gallery *gallery, const struct df_image *image,
                         const struct df_image *classes, const char *caption)
{
    struct df_image panel = {0};

    if (df_class_panel(image, classes, &gallery->style, &panel) != 0)
        return -1;
    const int status = write_picture(gallery->page, &panel, caption);
    df_image_free(&panel);
    return status;
}

static int write_prediction(struct gallery *gallery, const struct df_image *image, int sample, int index,
                            int64_t best_epoch)
{
    const struct run_pictures *pictures = gallery->pictures;
    const struct run_pictures_item *item = &pictures->items[index];
    struct df_image map = {0};
    char *caption = df_text_format("epoch %" PRId64 "%s: mIoU %.1f %%", item->epoch,
                                   item->epoch == best_epoch        ? " (best)"
                                   : index + 1 == pictures->n_items ? " (last)"
                                                                    : "",
                                   100.0 * item->miou);
    int status = -1;

    if (caption && df_image_alloc(&map, pictures->width, pictures->height, 1) == 0) {
        run_map_unpack(&item->maps[sample], map.pixels);
        df_legend_add(&gallery->legend, &map);
        status = write_classes(gallery, image, &map, caption);
    }
    df_image_free(&map);
    free(caption);
    return status;
}

static int write_row(struct gallery *gallery, const struct df_image *image, int sample, int64_t best_epoch)
{
    const struct run_pictures *pictures = gallery->pictures;
    const struct sample_image *seen = &pictures->seen.items[sample];

    fputs("<p class=\"note\">", gallery->page);
    df_html_text(gallery->page, pictures->seen.set->samples[seen->sample].name);
    fputs("</p>\n<div class=\"samples small\">\n", gallery->page);
    DF_TRY(write_picture(gallery->page, image, "image"));
    df_legend_add(&gallery->legend, &seen->label);
    DF_TRY(write_classes(gallery, image, &seen->label, "label"));
    for (int i = 0; i < pictures->n_items; i++)
        DF_TRY(write_prediction(gallery, image, sample, i, best_epoch));
    fputs("</div>\n", gallery->page);
    return 0;
}

/* In the image's own ratio, made smaller where it is larger than there is room. */
static int write_sample(struct gallery *gallery, int sample, int64_t best_epoch)
{
    const struct df_image *image = &gallery->pictures->seen.items[sample].image;
    struct df_image small;

    DF_TRY(df_shrink_within(image, MOST_SIDE, &small));
    const int status = write_row(gallery, &small, sample, best_epoch);
    df_image_free(&small);
    return status;
}

int run_pictures_write(FILE *page, const struct run_pictures *pictures, int64_t best_epoch)
{
    const struct df_dataset *set = pictures->seen.set;
    struct gallery gallery = {.page = page,
                              .pictures = pictures,
                              .style = df_overlay_style_of(set),
                              .legend = {.palette = &gallery.style.palette,
                                         .names = set->class_names,
                                         .n_classes = set->n_classes}};

    if (pictures->n_items == 0)
        return 0;
    gallery.style.outlines = false;
    df_html_heading(page, "Images");
    fputs("<p>Images of the validation set with their labels, and what was predicted as the run went on. A "
          "background stays as the image is; hatched pixels do not count. The mIoU is that of the whole "
          "set.</p>\n",
          page);
    for (int sample = 0; sample < pictures->n_samples; sample++)
        DF_TRY(write_sample(&gallery, sample, best_epoch));
    df_html_legend(page, &gallery.legend);
    return 0;
}
