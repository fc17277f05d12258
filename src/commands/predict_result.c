#include "predict_result.h"

#include <math.h>
#include <stdlib.h>

/* The probability of the most probable class. */
static float most_probable(const float *probabilities, int64_t classes)
{
    float most = probabilities[0];

    for (int64_t c = 1; c < classes; c++)
        most = fmaxf(most, probabilities[c]);
    return most;
}

/* One row of the image; the sum of its confidences. */
static double complete_row(struct predicted *predicted, const float *row, int64_t y, double threshold)
{
    const int64_t classes = predicted->probabilities.classes;
    uint8_t *numbers = predicted->classes.pixels + y * predicted->width;
    uint8_t *confidences = predicted->confidence.pixels + y * predicted->width;
    double sum = 0.0;

    for (int64_t x = 0; x < predicted->width; x++) {
        const float confidence = most_probable(row + x * classes, classes);
        sum += (double)confidence;
        confidences[x] = (uint8_t)lrintf(255.0f * fminf(confidence, 1.0f));
        if ((double)confidence < threshold)
            numbers[x] = DF_IGNORE_LABEL;
    }
    return sum;
}

static int find_confidence(struct predicted *predicted, double threshold)
{
    const size_t bytes = (size_t)(predicted->width * predicted->probabilities.classes) * sizeof(float);
    float *row = malloc(bytes);
    double sum = 0.0;

    if (!row)
        return df_error_memory("a row of probabilities", bytes);
    if (df_image_alloc(&predicted->confidence, predicted->width, predicted->height, 1) != 0) {
        free(row);
        return -1;
    }
    for (int64_t y = 0; y < predicted->height; y++) {
        df_probabilities_row(&predicted->probabilities, y, row);
        sum += complete_row(predicted, row, y, threshold);
    }
    predicted->mean_confidence = sum / (double)(predicted->height * predicted->width);
    free(row);
    return 0;
}

int predicted_complete(struct predicted *predicted, const struct predict_look *look)
{
    predicted->mean_confidence = NAN;
    if (look->needs & PREDICT_NEEDS_CONFIDENCE)
        DF_TRY(find_confidence(predicted, look->config->threshold));
    for (int64_t i = 0; i < predicted->height * predicted->width; i++)
        predicted->pixels[predicted->classes.pixels[i]]++;
    return 0;
}

size_t predicted_bytes(const struct predicted *predicted)
{
    const size_t pixels = (size_t)(predicted->height * predicted->width);
    const struct df_probabilities *probabilities = &predicted->probabilities;
    const size_t values = (size_t)(probabilities->h * probabilities->w * probabilities->classes);

    return 8 * pixels + (probabilities->values ? values * sizeof(float) : 0); /* image, overlay, two maps */
}

void predicted_free(struct predicted *predicted)
{
    df_image_free(&predicted->image);
    df_image_free(&predicted->classes);
    df_image_free(&predicted->confidence);
    df_probabilities_free(&predicted->probabilities);
    free(predicted->logits);
    predicted->logits = NULL;
}
