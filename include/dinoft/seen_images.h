/* Which images a model was trained on, as its checkpoint knows them: a digest of each. */
#ifndef DINOFT_SEEN_IMAGES_H
#define DINOFT_SEEN_IMAGES_H

#include "dinoft/dataset.h"

/* Of more images the smallest digests are known, a part by chance. */
#define DF_SEEN_IMAGES_MOST 32768
#define DF_SEEN_DIGEST_BITS 48 /* of 32768 images and 100000 others, none are taken for equal by chance */

struct df_seen_images {
    int64_t images;    /* that there were, if more than digests are known; 0: nothing is known */
    int64_t count;     /* digests */
    uint64_t *digests; /* [count], ascending, each once; owned */
};

/* Adds the images of a data set, each known by its file's name, size and some bytes of its middle, also
 * in an archive; what cannot be read, by name and size. -1 when out of memory: then nothing has been added.
 */
int df_seen_images_add(struct df_seen_images *seen, const struct df_dataset *dataset);

/* Adds those of another checkpoint. The same. */
int df_seen_images_join(struct df_seen_images *seen, const struct df_seen_images *other);

/* Warns where images that are to be measured are among them. path: the checkpoint's. */
void df_seen_images_report(const struct df_seen_images *seen, const struct df_dataset *dataset,
                           const char *path);

void df_seen_images_free(struct df_seen_images *seen);

#endif
