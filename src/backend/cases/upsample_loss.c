/* The fused upsampling loss and the enlarged logits. */
#include "enlarged.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

enum { LABELLING = MORE_SIZES, RESULTS, VALUES, TERMS };

enum labelling { UNLABELLED, LABELLED, PARTLY_LABELLED, IGNORED };

/* Bits of RESULTS. */
enum {
    LOSS,
    GRADIENT = 1,
    PREDICTION = 2,
    ON_DEVICE = 4,
    SIGMOIDS = 8,
    CONFIDENCE = 16,
    BOTH = GRADIENT | PREDICTION
};

/* Of logits. TIED: two classes have the same at every pixel. SATURATED: around where sigmoids become 1 in
 * float32. LOW: around where their exponentials overflow. */
enum values { USUAL, TIED, SATURATED, LOW };

/* Bits of TERMS. Without weights classes weigh 1. */
enum { PLAIN, WEIGHTED = 1, SMOOTHED = 2, FOCAL = 4, REGION = 8, ALONE = 16, OF_PIXELS = 32 };

static const float smoothing = 0.1f, gamma_of_focal = 1.5f;

static int upsample_logits_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    enlarged_use(m, n);
    n[0][LABELLING] = PARTLY_LABELLED;
    n[0][RESULTS] = BOTH;
    return 1;
}

/* --- upsample_loss --- */

enum {
    DLOGITS = MORE_TENSORS,
    PREDICTED,
    SCRATCH,
    SUM,
    OF_SIGMOIDS,
    WEIGHTS,
    SLOPES,
    PIXEL_SLOPES,
    FIXED,
    CONFIDENT
};

/* Numbers of classes that choose how lanes share them, with and without the gradient; enlarged, reduced,
 * kept; strips of two cells, the last of one. */
static const int64_t upsample_loss_odd[][DF_CASE_SIZES] = {
    {1, 1, 1, 1, 1, 1, LABELLED, BOTH},
    {1, 1, 1, 3, 7, 5, PARTLY_LABELLED, BOTH},
    {1, 1, 1, 2, 30, 21, PARTLY_LABELLED, BOTH},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, BOTH},
    {1, 5, 3, 150, 35, 21, PARTLY_LABELLED, BOTH},
    {1, 2, 3, 255, 9, 9, PARTLY_LABELLED, BOTH},
    {2, 5, 7, 16, 5, 7, PARTLY_LABELLED, BOTH},
    {2, 5, 7, 17, 5, 7, PARTLY_LABELLED, BOTH},
    {1, 9, 8, 16, 4, 3, LABELLED, BOTH},
    {1, 9, 8, 32, 4, 3, PARTLY_LABELLED, BOTH},
    {1, 3, 4, 64, 13, 9, PARTLY_LABELLED, BOTH},
    {3, 4, 4, 65, 13, 29, PARTLY_LABELLED, BOTH},
    {1, 2, 2, 128, 6, 6, LABELLED, BOTH},
    {1, 1, 9, 33, 3, 100, PARTLY_LABELLED, BOTH},
    {1, 7, 1, 9, 40, 3, PARTLY_LABELLED, BOTH},
    {2, 3, 3, 5, 6, 6, IGNORED, BOTH},
    {1, 2, 2, 40, 6, 6, LABELLED, BOTH, TIED},
    {1, 363, 363, 2, 40, 367, PARTLY_LABELLED, BOTH},
    {1, 363, 361, 2, 9, 13, PARTLY_LABELLED, PREDICTION},
    {1, 3, 2, 5, 7, 9, PARTLY_LABELLED, PREDICTION},
    {2, 3, 4, 9, 17, 7, PARTLY_LABELLED, PREDICTION | ON_DEVICE},
    {1, 3, 4, 21, 17, 23, PARTLY_LABELLED, LOSS},
    {1, 2, 3, 31, 9, 9, PARTLY_LABELLED, PREDICTION},
    {1, 3, 4, 64, 13, 9, PARTLY_LABELLED, LOSS | ON_DEVICE},
    {1, 4, 4, 65, 13, 9, PARTLY_LABELLED, PREDICTION},
    {1, 5, 3, 150, 17, 21, PARTLY_LABELLED, LOSS},
    {1, 2, 3, 255, 9, 9, PARTLY_LABELLED, PREDICTION},
    {2, 3, 3, 5, 6, 6, IGNORED, GRADIENT},
    {2, 3, 4, 21, 17, 23, UNLABELLED, PREDICTION, TIED},
    {1, 2, 3, 255, 9, 9, UNLABELLED, PREDICTION, TIED},
    {1, 5, 3, 150, 35, 21, UNLABELLED, PREDICTION},
    {1, 1, 1, 1, 1, 1, LABELLED, PREDICTION | SIGMOIDS, SATURATED},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, PREDICTION | SIGMOIDS, SATURATED},
    {1, 5, 3, 150, 35, 21, PARTLY_LABELLED, PREDICTION | SIGMOIDS, SATURATED},
    {1, 2, 3, 255, 9, 9, UNLABELLED, PREDICTION | SIGMOIDS, SATURATED},
    {2, 3, 4, 9, 17, 7, PARTLY_LABELLED, PREDICTION | SIGMOIDS | ON_DEVICE, SATURATED},
    {1, 3, 4, 64, 13, 9, PARTLY_LABELLED, PREDICTION | SIGMOIDS, LOW},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, PREDICTION | SIGMOIDS, TIED},
    {1, 5, 3, 150, 35, 21, PARTLY_LABELLED, PREDICTION | SIGMOIDS},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, PREDICTION | SIGMOIDS | CONFIDENCE | ON_DEVICE, SATURATED},
    {1, 5, 3, 150, 35, 21, UNLABELLED, PREDICTION | CONFIDENCE},
    {1, 2, 3, 255, 9, 9, PARTLY_LABELLED, CONFIDENCE, LOW},
    {2, 3, 3, 5, 6, 6, IGNORED, PREDICTION | CONFIDENCE},
    {1, 1, 1, 1, 1, 1, LABELLED, GRADIENT, USUAL, WEIGHTED | SMOOTHED},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, GRADIENT, USUAL, WEIGHTED},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, BOTH | ON_DEVICE, USUAL, SMOOTHED},
    {1, 5, 3, 150, 35, 21, PARTLY_LABELLED, GRADIENT, USUAL, WEIGHTED | SMOOTHED},
    {2, 5, 7, 16, 5, 7, PARTLY_LABELLED, GRADIENT, USUAL, WEIGHTED | SMOOTHED},
    {1, 9, 8, 32, 4, 3, PARTLY_LABELLED, GRADIENT, USUAL, WEIGHTED | SMOOTHED},
    {3, 4, 4, 65, 13, 29, PARTLY_LABELLED, GRADIENT, LOW, WEIGHTED | SMOOTHED},
    {1, 3, 4, 64, 13, 9, PARTLY_LABELLED, GRADIENT, SATURATED, WEIGHTED | SMOOTHED},
    {1, 2, 3, 255, 9, 9, PARTLY_LABELLED, GRADIENT, USUAL, WEIGHTED | SMOOTHED},
    {1, 1, 9, 5, 3, 100, PARTLY_LABELLED, GRADIENT, USUAL, WEIGHTED | SMOOTHED},
    {2, 3, 3, 5, 6, 6, IGNORED, GRADIENT, USUAL, WEIGHTED | SMOOTHED},
    {1, 1, 1, 1, 1, 1, LABELLED, GRADIENT, USUAL, FOCAL},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, GRADIENT, USUAL, FOCAL},
    {1, 5, 3, 150, 35, 21, PARTLY_LABELLED, GRADIENT, LOW, FOCAL | WEIGHTED},
    {1, 1, 1, 1, 1, 1, LABELLED, GRADIENT, USUAL, REGION},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, BOTH | ON_DEVICE, USUAL, REGION | WEIGHTED | SMOOTHED},
    {1, 5, 3, 150, 35, 21, PARTLY_LABELLED, GRADIENT, LOW, REGION | ALONE},
    {1, 2, 3, 255, 9, 9, PARTLY_LABELLED, GRADIENT, USUAL, REGION | WEIGHTED},
    {2, 3, 3, 5, 6, 6, IGNORED, GRADIENT, USUAL, REGION},
    {1, 1, 1, 1, 1, 1, LABELLED, GRADIENT, USUAL, OF_PIXELS},
    {2, 3, 4, 21, 17, 23, PARTLY_LABELLED, BOTH | ON_DEVICE, USUAL, OF_PIXELS | WEIGHTED | SMOOTHED},
    {1, 5, 3, 150, 35, 21, PARTLY_LABELLED, GRADIENT, USUAL, OF_PIXELS | ALONE},
    {1, 9, 8, 32, 4, 3, PARTLY_LABELLED, GRADIENT, USUAL, OF_PIXELS},
    {2, 3, 3, 5, 6, 6, IGNORED, GRADIENT, USUAL, OF_PIXELS},
};

static void make_ties(struct df_case *c)
{
    const int64_t classes = c->n[CLASSES];
    float *logits = c->tensors[LOGITS].values;

    for (int64_t at = 0; logits && at < logit_count(c); at += classes)
        logits[at + classes / 3] = logits[at + classes - 1] = 16.0f;
}

/* Weights of classes: some are 0, as the only one is not. */
static void make_weights(struct df_case *c)
{
    float *weights = c->tensors[WEIGHTS].values;

    for (int64_t k = 0; weights && k < c->tensors[WEIGHTS].count; k++)
        weights[k] = c->n[TERMS] & WEIGHTED ? (float)((k + 3) % 5) * 0.5f : 1.0f;
}

/* A tensor that is left out has no elements. */
static void upsample_loss_build(struct df_case *c)
{
    static const double means[] = {0.0, 0.0, 15.0, -90.0}, deviations[] = {3.0, 3.0, 2.0, 6.0};
    const int64_t labelled = c->n[LABELLING] == UNLABELLED ? 0 : pixels_of(c);
    const bool gradient = c->n[RESULTS] & GRADIENT;
    /* Of a mean: elements are the smaller the more logits or pixels there are. */
    const int64_t shares = df_min_i64(c->n[BATCH] * c->n[H] * c->n[W], pixels_of(c));
    const double tolerance = fmin(1e-6, 1e-5 / (double)shares);

    df_case_in(c, DF_F32, logit_count(c), means[c->n[VALUES]], deviations[c->n[VALUES]]);
    df_case_in_bytes(c, labelled, (int)c->n[CLASSES], c->n[LABELLING] == PARTLY_LABELLED);
    df_case_out(c, DF_F32, gradient ? logit_count(c) : 0, tolerance);
    df_case_out(c, DF_U8, c->n[RESULTS] & PREDICTION ? pixels_of(c) : 0, 1e-3);
    df_case_in(c, DF_F32, gradient ? 2 * logit_count(c) : 0, 0.0, 1.0);
    df_case_in_bytes(c, sizeof(struct df_loss_sum), 256, false);
    df_case_out(c, DF_U8, c->n[RESULTS] & SIGMOIDS ? pixels_of(c) : 0, 1e-3);
    df_case_in(c, DF_F32, c->n[TERMS] ? c->n[CLASSES] : 0, 0.0, 1.0);
    df_case_in(c, DF_F32, c->n[TERMS] & REGION ? 2 * c->n[CLASSES] + 1 : 0, 0.5, 1.0);
    df_case_in(c, DF_F32, c->n[TERMS] & OF_PIXELS ? pixels_of(c) : 0, 0.5, 1.0);
    df_case_in(c, DF_F32, c->n[TERMS] & OF_PIXELS ? logit_count(c) : 0, 0.0, 1.0);
    df_case_out(c, DF_F32, c->n[RESULTS] & CONFIDENCE ? pixels_of(c) : 0, 4e-6);
    c->n_scalars = 2;
    c->scalar_tolerance = 1e-6;
    make_weights(c);
    if (c->n[VALUES] == TIED)
        make_ties(c);
    if (c->n[LABELLING] == IGNORED)
        ignore_labels(c);
}

static void *memory_if(const struct df_case_run *run, int tensor, bool wanted)
{
    return wanted ? run->memory[tensor] : NULL;
}

static double smoothing_of(const struct df_case *c)
{
    return c->n[TERMS] & SMOOTHED ? (double)smoothing : 0.0;
}

/* Of what is of each pixel alone. */
static double factor_of(const struct df_case *c)
{
    return c->n[TERMS] & ALONE ? 0.0 : c->n[TERMS] & (REGION | OF_PIXELS) ? 0.5 : 1.0;
}

static double gamma_of(const struct df_case *c)
{
    return c->n[TERMS] & FOCAL ? (double)gamma_of_focal : 0.0;
}

static double weight_of(const struct df_case *c, int64_t class)
{
    return c->n[TERMS] ? (double)c->tensors[WEIGHTS].values[class] : 1.0;
}

static double sum_of_weights(const struct df_case *c)
{
    double sum = 0.0;
    for (int64_t k = 0; k < c->n[CLASSES]; k++)
        sum += weight_of(c, k);
    return sum;
}

static int upsample_loss_call(const struct df_case *c, struct df_case_run *run)
{
    const int64_t results = c->n[RESULTS];
    const float *region = memory_if(run, SLOPES, c->n[TERMS] & REGION);
    const struct df_loss_terms terms = {.class_weights = run->memory[WEIGHTS],
                                        .weight_sum = (float)sum_of_weights(c),
                                        .smoothing = (float)smoothing_of(c),
                                        .gamma = (float)gamma_of(c),
                                        .pixel = (float)factor_of(c),
                                        .region = region,
                                        .more = region ? region + 2 * c->n[CLASSES] : NULL,
                                        .slopes = memory_if(run, PIXEL_SLOPES, c->n[TERMS] & OF_PIXELS),
                                        .gradient = memory_if(run, FIXED, c->n[TERMS] & OF_PIXELS)};
    struct df_upsample_loss work = enlarged_work(c, run);

    work.labels = memory_if(run, LABELS, c->n[LABELLING] != UNLABELLED);
    work.dlogits = memory_if(run, DLOGITS, results & GRADIENT);
    work.terms = c->n[TERMS] ? &terms : NULL;
    work.prediction = memory_if(run, PREDICTED, results & PREDICTION);
    work.sigmoid_prediction = memory_if(run, OF_SIGMOIDS, results & SIGMOIDS);
    work.confidence = memory_if(run, CONFIDENT, results & CONFIDENCE);
    work.on_device = memory_if(run, SUM, results & ON_DEVICE);
    DF_TRY(
        run->backend->ops->upsample_loss(run->backend, &work, memory_if(run, SCRATCH, results & GRADIENT)));
    if (work.on_device)
        DF_TRY(run->backend->ops->download(run->backend, &work.loss, work.on_device, sizeof work.loss));
    run->scalars[0] = work.loss.sum;
    run->scalars[1] = (double)work.loss.count + work.loss.weight;
    return 0;
}

/* Label of a pixel that counts; -1: it does not. */
static int64_t label_of(const struct df_case *c, int64_t pixel)
{
    const uint8_t *labels = c->tensors[LABELS].bytes;
    return c->n[LABELLING] == UNLABELLED || labels[pixel] == DF_IGNORE_LABEL ? -1 : labels[pixel];
}

/* What the mean divides by, and how many pixels these are. */
static double weigh_labels(const struct df_case *c, int64_t *count)
{
    double weight = 0.0;

    *count = 0;
    for (int64_t i = 0; i < pixels_of(c); i++) {
        const int64_t label = label_of(c, i);
        if (label < 0)
            continue;
        weight += weight_of(c, label);
        (*count)++;
    }
    return weight;
}

/* How much of the pixel's loss is -log of a class's probability. */
static double target_of(const struct df_case *c, int64_t label, int64_t class)
{
    const double share = smoothing_of(c) / (double)c->n[CLASSES];
    return factor_of(c) * weight_of(c, class) * ((class == label ? 1.0 - smoothing_of(c) : 0.0) + share);
}

/* What the focal loss multiplies the gradient of -log p by. */
static double focus_of(const struct df_case *c, double p)
{
    const double gamma = gamma_of(c);

    if (gamma == 0.0 || p >= 1.0)
        return gamma == 0.0 ? 1.0 : 0.0;
    return pow(1.0 - p, gamma) - gamma * p * pow(1.0 - p, gamma - 1.0) * log(p);
}

/* How much the loss of all pixels changes with the probability of a pixel's class. */
static double slope_of(const struct df_case *c, int64_t label, int64_t class)
{
    const float *slopes = c->tensors[SLOPES].values;

    if (!(c->n[TERMS] & REGION))
        return 0.0;
    return (double)slopes[class] - (class == label ? (double)slopes[c->n[CLASSES] + class] : 0.0);
}

/* How much the pixel's gradient has of minus each probability. */
static double slope_of_pixel(const struct df_case *c, int64_t pixel)
{
    return c->n[TERMS] & OF_PIXELS ? (double)c->tensors[PIXEL_SLOPES].values[pixel] : 0.0;
}

/* The sum of this times the probabilities. */
static double region_of(const struct df_case *c, int64_t label, const double *probability)
{
    double sum = 0.0;

    for (int64_t k = 0; k < c->n[CLASSES]; k++)
        sum += slope_of(c, label, k) * probability[k];
    return sum;
}

/* dlogits += what the pixel's softmax and label make of them. */
static void add_gradient(struct df_case *c, int64_t pixel, const double *probability, double weight)
{
    const struct bilinear_size size = size_of(c);
    const int64_t label = label_of(c, pixel);
    double *dlogits = c->tensors[DLOGITS].expected + image_at(c, pixel);
    const double focus = focus_of(c, probability[label]), region = region_of(c, label, probability);
    double all = 0.0, gradient[DF_MAX_CLASSES];
    struct bilinear_corner corners[4];

    for (int64_t k = 0; k < size.classes; k++)
        all += target_of(c, label, k);
    for (int64_t k = 0; k < size.classes; k++)
        gradient[k] = focus * (all * probability[k] - target_of(c, label, k)) +
                      probability[k] * (slope_of(c, label, k) - region - slope_of_pixel(c, pixel));
    bilinear_corners(&size, pixel % plane_of(c), corners);
    for (int i = 0; i < 4 && weight > 0.0; i++) {
        for (int64_t k = 0; k < size.classes; k++)
            dlogits[corners[i].pixel * size.classes + k] += corners[i].weight * gradient[k] / weight;
    }
}

/* dlogits += what is no pixel's. */
static void add_fixed(struct df_case *c, double weight)
{
    double *dlogits = c->tensors[DLOGITS].expected;

    for (int64_t i = 0; c->n[TERMS] & OF_PIXELS && i < logit_count(c); i++)
        dlogits[i] += weight > 0.0 ? (double)c->tensors[FIXED].values[i] / weight : 0.0;
}

/* value = its sigmoid in float32. */
static void sigmoids(double *value, int64_t classes)
{
    for (int64_t c = 0; c < classes; c++)
        value[c] = (double)(1.0f / (1.0f + expf(-(float)value[c])));
}

static void expect_prediction(struct df_case *c, int64_t pixel, const double *value)
{
    double sigmoid[DF_MAX_CLASSES];

    if (c->n[RESULTS] & PREDICTION)
        c->tensors[PREDICTED].expected[pixel] = (double)first_largest(value, c->n[CLASSES]);
    if (!(c->n[RESULTS] & SIGMOIDS))
        return;
    memcpy(sigmoid, value, (size_t)c->n[CLASSES] * sizeof *sigmoid);
    sigmoids(sigmoid, c->n[CLASSES]);
    c->tensors[OF_SIGMOIDS].expected[pixel] = (double)first_largest(sigmoid, c->n[CLASSES]);
}

static void expect_confidence(struct df_case *c, int64_t pixel, const double *value)
{
    double probability[DF_MAX_CLASSES];

    if (!(c->n[RESULTS] & CONFIDENCE))
        return;
    memcpy(probability, value, (size_t)c->n[CLASSES] * sizeof *probability);
    softmax(probability, c->n[CLASSES]);
    c->tensors[CONFIDENT].expected[pixel] = probability[first_largest(probability, c->n[CLASSES])];
}

/* Of its logits, which become probabilities. */
static double pixel_loss(const struct df_case *c, int64_t label, double *value)
{
    double logits[DF_MAX_CLASSES], loss = 0.0;

    memcpy(logits, value, (size_t)c->n[CLASSES] * sizeof *logits);
    const double log_sum = softmax(value, c->n[CLASSES]);
    for (int64_t k = 0; k < c->n[CLASSES]; k++)
        loss += target_of(c, label, k) * (log_sum - logits[k]);
    return gamma_of(c) == 0.0 ? loss : loss * pow(1.0 - value[label], gamma_of(c));
}

static void upsample_loss_expect(struct df_case *c)
{
    double value[DF_MAX_CLASSES], sum = 0.0;
    int64_t count;
    const double weight = weigh_labels(c, &count);

    for (int64_t i = 0; i < pixels_of(c); i++) {
        const int64_t label = label_of(c, i);
        enlarged_pixel(c, i, value);
        expect_prediction(c, i, value);
        expect_confidence(c, i, value);
        if (label < 0)
            continue;
        sum += pixel_loss(c, label, value);
        if (c->n[RESULTS] & GRADIENT)
            add_gradient(c, i, value, weight);
    }
    if (c->n[RESULTS] & GRADIENT)
        add_fixed(c, weight);
    c->expected_scalars[0] = sum;
    if (c->n[TERMS] & REGION)
        c->expected_scalars[0] += (double)c->tensors[SLOPES].values[2 * c->n[CLASSES]];
    c->expected_scalars[1] = (double)count + weight;
}

/* What has the gradient of slopes of pixels, and of that which is no pixel's. */
static double objective_of_pixels(const struct df_case *c)
{
    double value[DF_MAX_CLASSES], sum = 0.0;

    if (!(c->n[TERMS] & OF_PIXELS))
        return 0.0;
    for (int64_t i = 0; i < pixels_of(c); i++) {
        enlarged_pixel(c, i, value);
        if (label_of(c, i) >= 0)
            sum -= slope_of_pixel(c, i) * softmax(value, c->n[CLASSES]);
    }
    for (int64_t i = 0; i < logit_count(c); i++)
        sum += (double)c->tensors[FIXED].values[i] * (double)c->tensors[LOGITS].values[i];
    return sum;
}

/* The mean loss, in which that of all pixels is as linear as its slopes. */
static double upsample_loss_objective(const struct df_case *c)
{
    double value[DF_MAX_CLASSES], sum = 0.0;
    int64_t count;
    const double weight = weigh_labels(c, &count);

    for (int64_t i = 0; i < pixels_of(c); i++) {
        const int64_t label = label_of(c, i);
        if (label < 0)
            continue;
        enlarged_pixel(c, i, value);
        sum += pixel_loss(c, label, value);
        sum += region_of(c, label, value);
    }
    return weight > 0.0 ? (sum + objective_of_pixels(c)) / weight : 0.0;
}

DF_CASE_SET(upsample_loss, upsample_loss_odd, upsample_logits_uses, .objective = upsample_loss_objective,
            .gradients = {{LOGITS, DLOGITS}}, .n_gradients = 1);

/* --- upsample_logits --- */

enum { ENLARGED = 1 }; /* it has no labels */

static const int64_t upsample_logits_odd[][DF_CASE_SIZES] = {
    {1, 1, 1, 1, 1, 1},    {1, 1, 1, 3, 7, 5},     {2, 3, 4, 21, 17, 23},  {1, 5, 3, 150, 35, 21},
    {1, 2, 3, 255, 9, 9},  {2, 5, 7, 17, 5, 7},    {1, 9, 8, 16, 4, 3},    {3, 4, 4, 65, 13, 29},
    {1, 1, 9, 33, 3, 100}, {2, 3, 4, 21, 17, 131}, {1, 5, 3, 150, 5, 140}, {3, 2, 2, 1, 7, 1},
    {2, 3, 3, 5, 6, 6},
};

static void upsample_logits_build(struct df_case *c)
{
    df_case_in(c, DF_F32, logit_count(c), 0.0, 3.0);
    df_case_out(c, DF_F32, pixels_of(c) * c->n[CLASSES], 1e-6);
}

static int upsample_logits_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->upsample_logits(run->backend, run->memory[LOGITS], run->memory[ENLARGED],
                                              c->n[BATCH], c->n[H], c->n[W], c->n[CLASSES], c->n[HEIGHT],
                                              c->n[WIDTH]);
}

/* A plane for each class. */
static void upsample_logits_expect(struct df_case *c)
{
    double value[DF_MAX_CLASSES];

    for (int64_t i = 0; i < pixels_of(c); i++) {
        const int64_t image = i / plane_of(c), at = i % plane_of(c);
        enlarged_pixel(c, i, value);
        for (int64_t k = 0; k < c->n[CLASSES]; k++)
            c->tensors[ENLARGED].expected[(image * c->n[CLASSES] + k) * plane_of(c) + at] = value[k];
    }
}

DF_CASE_SET(upsample_logits, upsample_logits_odd, upsample_logits_uses);
