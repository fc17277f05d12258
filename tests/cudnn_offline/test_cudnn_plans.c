/* What cuDNN has for the backend's graphs on each device: engines, workspaces, how long plans take to build,
 * and their texts. Printed as tables; what has to hold is checked.
 *
 * Usage: test_cudnn_plans [--all] [DEVICE.json…]
 *
 * Without --all, for one token count. */
#include "convolution_engines.h"
#include "described_device.h"

#include "src/backend/cuda/attention_graph.h"
#include "src/backend/cuda/cudnn_plan.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIPPED 77

/* ViT-L's attention: 12 images of 16 heads of 64, or of 8 of 128. */
#define BATCH 12
#define DIM   1024

/* 560 pixels at 16 a patch with registers; 224 and 518 at 14. */
static const int64_t token_counts[] = {1230, 257, 1370};

#define N_TOKEN_COUNTS ((int)(sizeof token_counts / sizeof *token_counts))

/* The FPN decoder's 3x3 convolutions on 37 x 37 patches, and that of the decoder mlp. */
static const struct df_conv_shape convolutions[] = {
    {BATCH, 37, 37, DIM, 128, 3, 0}, {BATCH, 35, 35, 128, 64, 3, 0},  {BATCH, 66, 66, 64, 32, 3, 0},
    {BATCH, 128, 128, 32, 21, 3, 0}, {BATCH, 126, 126, 21, 21, 3, 0}, {BATCH, 37, 37, 256, 256, 3, 1},
};

static int failures;

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    failures++;
    printf("    FAILED: %s; cuDNN's last error: %s\n", what, df_error_text());
}

/* One candidate: its plan's text, which has to be readable, and the memory that it wants. Whether there is
 * one. */
static bool candidate(struct df_cuda_context *context, const struct df_attention_problem *problem, int number)
{
    struct df_cudnn_text texts[DF_ATTENTION_CANDIDATES];
    struct df_cudnn_plan plan;
    const double start = seconds_now();

    df_attention_make_plans(&context->cudnn, context->dnn, problem, number, texts);
    const double made = seconds_now();
    if (!texts[number].bytes)
        return false;
    const bool read = df_cudnn_plan_read(&plan, &context->cudnn, context->dnn, &texts[number]) == 0;
    printf("  %.1f MB %.2f s (%.0f KB, read in %.3f s)",
           (double)(plan.workspace + df_attention_extra_bytes(problem, number)) * 1e-6, made - start,
           (double)texts[number].size * 1e-3, seconds_now() - made);
    check(read, "a plan's text can be read back");
    df_cudnn_plan_close(&plan, &context->cudnn);
    texts[number].size /= 2;
    check(df_cudnn_plan_read(&plan, &context->cudnn, context->dnn, &texts[number]) != 0,
          "half of a plan's text is refused");
    free(texts[number].bytes);
    return true;
}

/* Which candidates there are, as bits. */
static unsigned attention(struct df_cuda_context *context, const struct df_attention_problem *problem)
{
    static const char *const passes[] = {"inference", "training", "gradient"};
    unsigned found = 0;

    printf("  attention  %-9s  head size %3d  tokens %4d", passes[problem->pass],
           (int)problem->shape.head_size, (int)problem->shape.tokens);
    for (int i = 0; i < DF_ATTENTION_CANDIDATES; i++) {
        if (candidate(context, problem, i))
            found |= 1u << i;
    }
    printf("\n");
    return found;
}

static void check_gradient(const struct df_attention_problem *problem, unsigned found)
{
    const bool by_hand = (found >> DF_ATTENTION_BY_HAND & 1) == 1;

    check(found != 0 || (problem->capability == 100 && problem->version < 91800),
          "the gradient has a plan that repeats its bits");
    check(by_hand || problem->capability != 90 || problem->version < 92500,
          "Hopper's engine that adds up in order can be set by hand");
}

/* The candidates are the same for every token count: a backend's choice for one shape says what to expect of
 * the next. */
static void attention_of_size(struct df_cuda_context *context, int64_t head_size, enum df_attention_pass pass,
                              int n_token_counts)
{
    struct df_attention_problem problem = {.shape = {BATCH, 0, DIM / head_size, head_size},
                                           .pass = pass,
                                           .capability = context->capability,
                                           .version = context->cudnn.cudnnGetVersion()};
    unsigned found[N_TOKEN_COUNTS];

    for (int i = 0; i < n_token_counts; i++) {
        problem.shape.tokens = token_counts[i];
        found[i] = attention(context, &problem);
        check(found[i] == found[0], "the same candidates for every token count");
    }
    if (pass == DF_ATTENTION_BACKWARD)
        check_gradient(&problem, found[0]);
    else
        check(found[0] != 0, "attention has a plan that repeats its bits");
}

static void convolution(struct df_cuda_context *context, struct df_conv_shape shape)
{
    static const char *const passes[] = {"forward", "data", "weight"};
    struct convolution_engines engines;

    printf("  conv 3x3  %3d x %3d  %4d to %3d ", (int)shape.height, (int)shape.width, (int)shape.in,
           (int)shape.out);
    for (int pass = FORWARD; pass <= BACKWARD_WEIGHT; pass++) {
        const bool asked = find_convolution_engines(context, pass, shape, &engines) == 0;
        printf("  %s %d of %d", passes[pass], engines.usable, engines.listed);
        if (engines.built)
            printf(", %.1f MB %.2f s", (double)engines.workspace * 1e-6, engines.seconds);
        check(asked, "cuDNN lists engines for a convolution");
    }
    printf("\n");
}

/* Without a handle cuDNN 9.8 crashes when it is asked for convolutions of a B200. */
static bool convolutions_can_be_asked_for(const struct df_cuda_context *context)
{
    return context->capability != 100 || context->cudnn.cudnnGetVersion() >= 91900;
}

static void device(const char *file, bool all)
{
    struct df_cuda_context *context = described_device_open(file);

    printf("%s\n", file);
    check(context, "cuDNN accepts the description");
    if (!context)
        return;
    for (int pass = DF_ATTENTION_INFERENCE; pass <= DF_ATTENTION_BACKWARD; pass++) {
        attention_of_size(context, 64, pass, all ? N_TOKEN_COUNTS : 1);
        attention_of_size(context, 128, pass, all ? N_TOKEN_COUNTS : 1);
    }
    if (!convolutions_can_be_asked_for(context))
        printf("  conv 3x3  not asked for\n");
    for (size_t i = 0;
         convolutions_can_be_asked_for(context) && i < sizeof convolutions / sizeof *convolutions; i++)
        convolution(context, convolutions[i]);
    described_device_close(context);
}

int main(int argc, char **argv)
{
    const bool all = argc > 1 && strcmp(argv[1], "--all") == 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!cudnn_library_open()) {
        printf("skipped: %s\n", df_error_text());
        return SKIPPED;
    }
    printf("cuDNN %zu\n", cudnn_library()->cudnnGetVersion());
    for (int i = all ? 2 : 1; i < argc; i++)
        device(argv[i], all);
    printf(failures ? "%d failures\n" : "all holds\n", failures);
    return failures ? 1 : 0;
}
