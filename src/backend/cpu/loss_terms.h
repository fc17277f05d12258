/* The loss of a pixel that has terms beside -log softmax, and its gradients. */
#ifndef DINOFT_CPU_LOSS_TERMS_H
#define DINOFT_CPU_LOSS_TERMS_H

#include "upsample.h"

#include "dinoft/backend.h"

struct loss_sum {
    double sum; /* of the pixels that are settled, and of the others' largest logit less that of the label */
    double product; /* of the others' sums of exponentials: one logarithm serves many pixels */
    int64_t count;
    double weight;
};

/* What smoothing adds is linear in the logits, but for their logarithm of exponentials: of a run of pixels
 * only the sums of their weights are kept. */
struct smoothing {
    float share;                /* of each class; 0: none */
    float left, right;          /* of the run's pixels, the weights of its columns */
    double left_dot, right_dot; /* the columns' logits times the classes' weights */
};

/* How much a loss of all pixels changes with a pixel's probabilities. */
struct region {
    bool is;
    _Alignas(64) float all[MAX_CLASSES + 1]; /* padded with 0 */
    const float *label;
};

DF_INLINE void read_region(struct region *region, const struct df_loss_terms *terms, int64_t classes)
{
    region->is = terms && terms->region;
    if (!region->is)
        return;
    memset(region->all, 0, sizeof region->all);
    memcpy(region->all, terms->region, (size_t)classes * sizeof(float));
    region->label = terms->region + classes;
}

/* The sum of the products. */
DF_INLINE float product(const float *a, const float *b, int32_t padded)
{
    float lanes[LANES] = {0};

    for (int32_t c = 0; c < padded; c += LANES)
        for (int32_t i = 0; i < LANES; i++)
            lanes[i] += a[c + i] * b[c + i];
    return fold(lanes);
}

/* The columns' gradients += the pixel's exponentials, times `factor` and the class's share of the region. */
DF_INLINE void spread_region(struct columns *columns, const struct region *region, struct tap x, float factor,
                             float sum, int32_t padded)
{
    const float left = x.weight_low / sum, right = x.weight_high / sum;

#pragma omp simd
    for (int32_t c = 0; c < padded; c++) {
        const float gradient = columns->value[c] * (factor + region->all[c]);
        columns->dleft[c] += left * gradient;
        columns->dright[c] += right * gradient;
    }
}

DF_INLINE struct smoothing smoothing_of(const struct df_loss_terms *terms, int64_t classes)
{
    return (struct smoothing){.share = terms ? terms->pixel * terms->smoothing / (float)classes : 0.0f};
}

/* When a run's columns are loaded. */
DF_INLINE void begin_smoothing(struct smoothing *smoothing, const struct df_loss_terms *terms,
                               const struct columns *columns, int64_t classes)
{
    double left = 0.0, right = 0.0;

    for (int64_t c = 0; c < classes; c++) {
        left += (double)terms->class_weights[c] * (double)columns->left[c];
        right += (double)terms->class_weights[c] * (double)columns->right[c];
    }
    smoothing->left_dot = left;
    smoothing->right_dot = right;
}

/* When it is over. */
DF_INLINE void end_smoothing(struct smoothing *smoothing, const struct df_loss_terms *terms,
                             struct columns *columns, int64_t classes)
{
    for (int64_t c = 0; c < classes; c++) {
        columns->left_hits[c] += smoothing->left * smoothing->share * terms->class_weights[c];
        columns->right_hits[c] += smoothing->right * smoothing->share * terms->class_weights[c];
    }
    smoothing->left = smoothing->right = 0.0f;
}

/* What the focal loss multiplies a pixel's loss and its gradient by. p: its label's probability, rest: that
 * of all others, minus_log: -log p. */
struct focus {
    float loss, gradient;
};

DF_INLINE struct focus focus_of(float gamma, float p, float rest, float minus_log)
{
    if (gamma == 0.0f)
        return (struct focus){1.0f, 1.0f};
    if (rest <= 0.0f)
        return (struct focus){0.0f, 0.0f};
    const float power = powf(rest, gamma);
    return (struct focus){power, power + power / rest * (gamma * p * minus_log)};
}

/* Adds the pixel's loss and gradients. */
DF_INLINE void add_pixel_of_terms(struct columns *columns, struct tap x, int32_t label, float best,
                                  int32_t padded, const struct df_loss_terms *terms,
                                  struct smoothing *smoothing, const struct region *region, float slope,
                                  struct loss_sum *total)
{
    const float weight = terms->class_weights[label];
    const double logit = (double)columns->value[label];
    const float sum = exponentials(columns->value, best, padded), power = columns->value[label];
    const double log_sum = (double)best + log((double)sum);
    const struct focus focus =
        focus_of(terms->gamma, power / sum, (sum - power) / sum, (float)(log_sum - logit));
    const float own = terms->pixel * (1.0f - terms->smoothing) * weight;
    float hit = own * focus.gradient, factor = hit + smoothing->share * terms->weight_sum;

    factor -= slope;
    if (region->is) {
        const float of_label = region->label[label] * (power / sum);
        factor -= product(columns->value, region->all, padded) / sum - of_label;
        hit += of_label;
        spread_region(columns, region, x, factor, sum, padded);
    } else {
        spread_gradient(columns, x.weight_low * factor / sum, x.weight_high * factor / sum, padded);
    }
    columns->left_hits[label] += x.weight_low * hit;
    columns->right_hits[label] += x.weight_high * hit;
    smoothing->left += x.weight_low;
    smoothing->right += x.weight_high;
    total->sum += (double)(own * focus.loss) * (log_sum - logit);
    if (smoothing->share > 0.0f)
        total->sum += (double)smoothing->share *
                      ((double)terms->weight_sum * log_sum - ((double)x.weight_low * smoothing->left_dot +
                                                              (double)x.weight_high * smoothing->right_dot));
    total->count++;
    total->weight += (double)weight;
}

#endif
