/* A video under the classes of its frames. */
#ifndef DINOFT_PREDICT_VIDEO_H
#define DINOFT_PREDICT_VIDEO_H

#include "dinoft/config.h"

/* predict --video: the exit status. */
int predict_video(struct df_config *config);

#endif
