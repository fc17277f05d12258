/* Pictures of the features of a video's frames, as a video. */
#ifndef DINOFT_PCA_VIDEO_H
#define DINOFT_PCA_VIDEO_H

#include "pca_job.h"

/* Draws all frames, each from what was computed last, into the output. The exit status. */
int pca_video_draw(struct pca_job *job);

#endif
