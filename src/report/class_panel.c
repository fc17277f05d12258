#include "class_panel.h"

#include "dinoft/legend.h"
#include "dinoft/region_numbers.h"

int df_class_panel(const struct df_image *image, const struct df_image *classes,
                   const struct df_overlay_style *style, struct df_image *panel)
{
    struct df_image small = {0};
    int status = -1;

    *panel = (struct df_image){0};
    if (df_image_alloc(&small, image->width, image->height, 1) != 0)
        return -1;
    df_resize_nearest(classes, small.pixels, small.width, small.height);
    if (df_overlay_draw(image, &small, style, panel) == 0) {
        df_legend_hatch(panel, &small);
        status = df_region_numbers_draw(panel, &small, &style->palette);
    }
    if (status != 0)
        df_image_free(panel);
    df_image_free(&small);
    return status;
}
