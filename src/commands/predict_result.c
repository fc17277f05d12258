#include "predict_result.h"

#include <math.h>
#include <stdlib.h>

static int use_confidence(struct predicted *predicted, double threshold)
{
    const int64_t count = predicted->height * predicted->width;
    double sum = 0.0;

    DF_TRY(df_image_alloc(&predicted->confidence, predicted->width, predicted->height, 1));
    for (int64_t i = 0; i < count; i++) {
        const float chosen = predicted->chosen[i];
        sum += (double)chosen;
        predicted->confidence.pixels[i] = (uint8_t)lrintf(255.0f * fminf(chosen, 1.0f));
        if ((double)chosen < threshold)
            predicted->classes.pixels[i] = DF_IGNORE_LABEL;
    }
    predicted->mean_confidence = sum / (double)count;
    free(predicted->chosen);
    predicted->chosen = NULL;
    return 0;
}

int predict_look_open(struct predict_look *look, const struct df_config *config,
                      const struct df_checkpoint *checkpoint)
{
    look->config = config;
    DF_TRY(df_model_classes_of(checkpoint, &look->classes));
    look->style = (struct df_overlay_style){
        .palette = look->classes.palette, .opacity = config->overlay_opacity, .outlines = config->outlines};
    look->style.palette.shows_image[DF_IGNORE_LABEL] = config->threshold == 0.0;
    return 0;
}

int predicted_complete(struct predicted *predicted, const struct predict_look *look)
{
    predicted->mean_confidence = NAN;
    if (predicted->chosen)
        DF_TRY(use_confidence(predicted, look->config->threshold));
    for (int64_t i = 0; i < predicted->height * predicted->width; i++)
        predicted->pixels[predicted->classes.pixels[i]]++;
    return 0;
}

size_t predicted_bytes(const struct predicted *predicted)
{
    const size_t pixels = (size_t)(predicted->height * predicted->width);
    const struct df_probabilities *probabilities = &predicted->probabilities;
    const size_t values = (size_t)(probabilities->h * probabilities->w * probabilities->classes);

    /* The image, its overlay, two maps, and one of floats. */
    return 12 * pixels + (probabilities->values ? values * sizeof(float) : 0);
}

void predicted_free(struct predicted *predicted)
{
    df_image_free(&predicted->image);
    df_image_free(&predicted->classes);
    df_image_free(&predicted->confidence);
    df_probabilities_free(&predicted->probabilities);
    free(predicted->chosen);
    free(predicted->logits);
    predicted->chosen = NULL;
    predicted->logits = NULL;
}
