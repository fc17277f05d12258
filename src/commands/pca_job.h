/* Pictures of features: what is the same of all kinds of them, and the kinds. */
#ifndef DINOFT_PCA_JOB_H
#define DINOFT_PCA_JOB_H

#include "image_features.h"
#include "video_frames.h"

#include "dinoft/config.h"
#include "dinoft/record_store.h"

struct pca_size {
    int64_t height, width;
};

struct pca_job {
    const struct df_config *config;
    const struct pca_kind *kind;
    void *state;                /* the kind's */
    struct inputs inputs;       /* images, or a video's frames that are computed */
    struct video_frames *video; /* NULL: images */
    char *folder;               /* where features are kept that memory does not hold */
    struct image_features features;
    int64_t images; /* that could be read */
    int64_t grid_h, grid_w, patches;
    int64_t all;                  /* patches of all images */
    struct pca_size *sizes;       /* [images] */
    struct df_record_store *kept; /* each image's features; NULL: the kind does not need them again */
    float *values;                /* [patches, dim] of one image */
    size_t bytes;                 /* of these */
};

/* What is drawn of an image, at its size. */
struct pca_drawing {
    struct df_image picture; /* RGB */
    struct df_image indices; /* with palette; without pixels where the kind has none */
    uint8_t palette[256][3];
};

struct pca_kind {
    const char *const *endings; /* of the picture and, if there are two, of the indices */
    int n_endings;
    bool keeps;      /* features are kept for find() and draw() */
    bool over_image; /* draw() needs the image also without --upsample */
    /* All may be NULL but find and draw. They return 0, or -1 with the error set; find an exit status. */
    int (*open)(struct pca_job *job);                /* before the first image */
    int (*take)(struct pca_job *job, int64_t image); /* its features are in values, its size is known */
    int (*find)(struct pca_job *job);                /* after the last image */
    /* From several threads at once. image: NULL where none is needed. The caller frees the images, also after
     * a failure. */
    int (*draw)(const struct pca_job *job, int64_t number, const struct df_image *image,
                struct pca_drawing *drawing);
    void (*tell)(const struct pca_job *job); /* after the last picture */
    void (*close)(struct pca_job *job);
};

extern const struct pca_kind pca_components, pca_clusters, pca_similarity;

/* Whether draw() needs the image. */
bool pca_needs_image(const struct pca_job *job);

/* Takes the features of an image, through which the backbone was run just now. -1 with the error set. */
int pca_take_features(struct pca_job *job, int64_t image, int64_t height, int64_t width);

/* Calls visit for the kept features [patches, dim] of each image, in order. An exit status. */
typedef void pca_visit(struct pca_job *job, int64_t image, const float *values, void *context);
int pca_visit_all(struct pca_job *job, pca_visit *visit, void *context);

/* Fills colors [patches, DF_PATCH_COLORS] of an image. */
typedef void pca_patch_colors(const struct pca_job *job, int64_t image, float *colors);

/* Draws an image from the colours of its patches: as squares, or with an image's edges (image not NULL). -1
 * with the error set. */
int pca_draw_patches(const struct pca_job *job, int64_t number, const struct df_image *image,
                     pca_patch_colors *fill, struct df_image *picture);

/* Closes the kept features, which draw() does not need: pictures need the memory more. */
void pca_drop_features(struct pca_job *job);

#endif
