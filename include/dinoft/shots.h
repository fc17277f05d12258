/* Few images: a data set's images from which K show each class, as papers on few-shot segmentation take them.
 */
#ifndef DINOFT_SHOTS_H
#define DINOFT_SHOTS_H

#include "dinoft/dataset.h"

/* An image shows a class if its mask, at its own size, has a pixel of it; so the choice does not depend on
 * the size that a model works at. The census has to hold all masks.
 *
 * The images are brought into a random order, which depends on the seed and their number alone. Then the
 * classes have their turn, the one that the fewest images show first, of equal ones the lower number. In each
 * turn images that show the class are chosen in the random order until `shots` of those chosen so far, also
 * in other classes' turns, show it, or all that do are chosen. So many as that there are at most `shots`
 * times the number of classes.
 *
 * chosen [set->count]; images_of [set->n_classes] = how many of the set's images show each class, chosen or
 * not. -1 when out of memory. */
int df_shots_choose(const struct df_dataset *set, int64_t shots, uint64_t seed, bool *chosen,
                    int64_t *images_of);

#endif
