/* Labels and predictions are bytes: 0 .. n_classes - 1, and 255 for pixels that do not count. */
#ifndef DINOFT_LABELS_H
#define DINOFT_LABELS_H

#define DF_IGNORE_LABEL 255
#define DF_MAX_CLASSES  255

#endif
