/* What cuDNN has for the backend's graphs on each device: engines, workspaces, and how long plans take to
 * build. Printed as tables; what has to hold is checked.
 *
 * Usage: test_cudnn_plans [--all] [DEVICE.json…]
 *
 * Without --all, plans are built for one token count; for the others only the engines are listed. */
#include "convolution_engines.h"
#include "described_device.h"

#include "src/backend/cuda/attention_graph.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <string.h>

#define SKIPPED 77

/* ViT-L's attention: 12 images of 16 heads of 64, or of 8 of 128. */
#define BATCH 12
#define DIM   1024

/* 224 and 518 pixels at 14 a patch, 560 at 16 with registers. */
static const int64_t token_counts[] = {257, 1370, 1230};

#define N_TOKEN_COUNTS ((int)(sizeof token_counts / sizeof *token_counts))

/* The FPN decoder's 3x3 convolutions on 37 x 37 patches. */
static const struct df_conv_shape convolutions[] = {
    {BATCH, 37, 37, DIM, 128, 3}, {BATCH, 35, 35, 128, 64, 3},  {BATCH, 66, 66, 64, 32, 3},
    {BATCH, 128, 128, 32, 21, 3}, {BATCH, 126, 126, 21, 21, 3},
};

static int failures;

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    failures++;
    printf("    FAILED: %s; cuDNN's last error: %s\n", what, df_error_text());
}

static void build_attention(struct df_attention_graph *graph, struct df_cuda_context *context)
{
    for (int i = 0; i < graph->n_engines; i++) {
        const double start = seconds_now();
        const bool built = df_attention_graph_prepare(graph, context, i) == 0;
        if (built)
            printf("  %zu B %.2f s", graph->engines[i].workspace, seconds_now() - start);
        else
            printf("  not built");
        check(built, "an engine that cuDNN lists can be built");
    }
}

static int attention(struct df_cuda_context *context, struct df_attention_shape shape, bool with_lse,
                     bool with_plans)
{
    struct df_attention_graph graph;
    const bool listed = df_attention_graph_open(&graph, context, shape, with_lse) == 0;
    const int engines = graph.n_engines;

    printf("  attention  head size %3d  tokens %4d  %s  engines %d", (int)shape.head_size, (int)shape.tokens,
           with_lse ? "with lse   " : "without lse", engines);
    if (listed && with_plans)
        build_attention(&graph, context);
    printf("\n");
    check(listed, "attention has a deterministic engine");
    df_attention_graph_close(&graph, context);
    return engines;
}

/* The engines are the same for every token count: a backend's choice for one shape says what to expect of
 * the next. */
static void attention_of_size(struct df_cuda_context *context, int64_t head_size, bool with_lse, bool all)
{
    int engines[N_TOKEN_COUNTS];

    for (int i = 0; i < N_TOKEN_COUNTS; i++) {
        const struct df_attention_shape shape = {
            .batch = BATCH, .tokens = token_counts[i], .heads = DIM / head_size, .head_size = head_size};
        engines[i] = attention(context, shape, with_lse, all || i == N_TOKEN_COUNTS - 1);
        check(engines[i] == engines[0], "as many engines for every token count");
    }
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
    for (int with_lse = 0; with_lse < 2; with_lse++) {
        attention_of_size(context, 64, with_lse, all);
        attention_of_size(context, 128, with_lse, all);
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
