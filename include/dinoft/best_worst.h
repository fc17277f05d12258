/* The images that a model predicts best and worst, as pictures to look at. */
#ifndef DINOFT_BEST_WORST_H
#define DINOFT_BEST_WORST_H

#include "dinoft/legend.h"
#include "dinoft/overlay.h"

#define DF_BEST_WORST_KEPT 12 /* of the best, and as many of the worst */

struct df_ranked_image {
    char *name;
    double miou;
    unsigned char *jpeg; /* image, label and prediction side by side, as a strip of comparison_picture.h */
    size_t jpeg_size;
    int64_t width, height; /* of the picture */
    bool shown[256];       /* the classes that the label or the prediction shows, as in struct df_legend */
};

/* Made by df_best_worst_init(). */
struct df_best_worst {
    struct df_overlay_style style;
    struct df_ranked_image items[2 * DF_BEST_WORST_KEPT + 1]; /* [count], smallest mIoU first; one spare */
    int count;
};

void df_best_worst_init(struct df_best_worst *best_worst, const struct df_overlay_style *style);
void df_best_worst_free(struct df_best_worst *best_worst);

/* Whether an image of that mIoU would be kept now: for callers to whom its pixels cost something. */
bool df_best_worst_wants(const struct df_best_worst *best_worst, const char *name, double miou);

/* Shows an image with its label and prediction: RGB, and classes [height, width] of any size, which are
 * stretched over it (label 255: not counted). It is kept, as a small picture, while it is one of the twelve
 * best or worst by mIoU; NaN is never kept. Images of equal mIoU are ordered by name: the same ones are kept
 * whatever the order that they come in. From one thread at a time. -1 when out of memory. */
int df_best_worst_add(struct df_best_worst *best_worst, const char *name, double miou,
                      const struct df_image *image, const struct df_image *label,
                      const struct df_image *prediction);

#endif
