#include "options.h"

#include <stdio.h>
#include <string.h>

#define TRAIN     (1u << DF_COMMAND_TRAIN)
#define EVAL      (1u << DF_COMMAND_EVAL)
#define CORRUPT   (1u << DF_COMMAND_CORRUPT)
#define IMAGES    (1u << DF_COMMAND_CORRUPT_IMAGES)
#define PREDICT   (1u << DF_COMMAND_PREDICT)
#define FEATURES  (1u << DF_COMMAND_FEATURES)
#define PCA       (1u << DF_COMMAND_PCA)
#define CONVERT   (1u << DF_COMMAND_CONVERT)
#define DEMO_DATA (1u << DF_COMMAND_DEMO_DATA)
#define BENCH     (1u << DF_COMMAND_BENCH)
#define SELFTEST  (1u << DF_COMMAND_SELFTEST)
#define INFO      (1u << DF_COMMAND_INFO)
#define MEASURE   (EVAL | CORRUPT)                             /* the commands that measure a checkpoint */
#define NETWORK   (TRAIN | MEASURE | PREDICT | FEATURES | PCA) /* the commands that run a model */
#define STORED    (MEASURE | PREDICT | FEATURES | PCA) /* those that take the model from a checkpoint */

/* One row; the flag and its field share a name. Behind the help text: the kind of value and whatever else. */
#define OPTION(OPTION_ID, FIELD, GROUP, COMMANDS, HELP, ...)                                                 \
    [DF_OPTION_##OPTION_ID] = {.name = #FIELD,                                                               \
                               .offset = offsetof(struct df_config, FIELD),                                  \
                               .group = DF_GROUP_##GROUP,                                                    \
                               .commands = COMMANDS,                                                         \
                               .help = HELP,                                                                 \
                               __VA_ARGS__}
#define SWITCH                   .kind = DF_KIND_SWITCH
#define STRING(METAVAR, INITIAL) .kind = DF_KIND_STRING, .metavar = METAVAR, .initial = INITIAL
#define LIST(...)                ((const char *const[]){__VA_ARGS__, NULL})
#define CHOICE(INITIAL, ...)     .kind = DF_KIND_CHOICE, .initial = INITIAL, .choices = LIST(__VA_ARGS__)
#define WEIGHT_FOLDERS                                                                                       \
    "$DINOFT_WEIGHTS, weights, ~/.local/share/dinoft/weights or PREFIX/share/dinoft/weights"
#define INTEGER(INITIAL, LEAST, MOST)                                                                        \
    .kind = DF_KIND_INTEGER, .metavar = "N", .initial = INITIAL, .minimum = LEAST, .maximum = MOST

const struct df_option_info df_options[DF_OPTION_COUNT] = {
    OPTION(EXP_NAME, exp_name, OUTPUT, TRAIN | CORRUPT,
           "names the run's files: NAME.pt, NAME_metrics.json, NAME_steps.csv, ...; corrupt: "
           "NAME_corruptions.json, ..., and "
           "the checkpoint's name where none is typed",
           STRING("NAME", "lora")),
    OPTION(
        DATASET, dataset, DATA, TRAIN | MEASURE | BENCH,
        "Pascal VOC 2012 (21 classes), ADE20K (150), or your own images/{train,val} and masks/{train,val}; "
        "where none is typed, eval and corrupt take the one that the checkpoint was trained on",
        CHOICE("ade20k", "voc", "ade20k", "folder")),
    OPTION(SIZE, size, MODEL, NETWORK | BENCH | SELFTEST | INFO,
           "the backbone's size; with --dino_type it names the weight file where --weights is not given "
           "(giant: dinov2 only; small+, large+, huge+, 7b: dinov3 only)",
           CHOICE("large", "small", "base", "large", "giant", "small+", "large+", "huge+", "7b")),
    OPTION(DINO_TYPE, dino_type, MODEL, NETWORK | BENCH | SELFTEST | INFO, "the backbone's family",
           CHOICE("dinov3", "dinov2", "dinov3")),
    OPTION(
        USE_LORA, use_lora, MODEL, TRAIN | BENCH | INFO,
        "train low-rank adapters of q and v in every block, beside the decoder; with --lora_weights, as the "
        "checkpoint has them",
        SWITCH, .from_checkpoint = STORED),
    OPTION(R, r, MODEL, TRAIN | BENCH | INFO, "the rank of LoRA; with --lora_weights, the checkpoint's",
           INTEGER("3", 1, 1024), .from_checkpoint = STORED),
    OPTION(USE_FPN, use_fpn, MODEL, TRAIN | BENCH | INFO,
           "decode the last four blocks with a feature pyramid, instead of the last with a 1x1 convolution",
           SWITCH, .from_checkpoint = STORED),
    OPTION(IMG_DIM, img_dim, MODEL, NETWORK | BENCH | SELFTEST | INFO,
           "the size that images are resized to, lowered to a multiple of the patch size; without it, the "
           "checkpoint's if it records one",
           .kind = DF_KIND_PAIR, .metavar = "H W", .initial = "490,490", .minimum = 1, .maximum = 32768),
    OPTION(LORA_WEIGHTS, lora_weights, MODEL, NETWORK,
           "a checkpoint of LoRA and decoder: train starts from it, the others use it", STRING("FILE", NULL),
           .required = MEASURE | PREDICT),
    OPTION(ALLOW_OTHER_BACKBONE, allow_other_backbone, MODEL, NETWORK,
           "use the checkpoint of --lora_weights although it was trained on another backbone", SWITCH),
    OPTION(EPOCHS, epochs, RUN, TRAIN, "how often the training images are gone through",
           INTEGER("20", 1, INT32_MAX)),
    OPTION(LR, lr, RUN, TRAIN, "AdamW's learning rate", .kind = DF_KIND_FLOAT, .metavar = "F",
           .initial = "3e-4", .float_minimum = 0),
    OPTION(BATCH_SIZE, batch_size, RUN, TRAIN | MEASURE | BENCH | SELFTEST | INFO, "images in a batch",
           INTEGER("12", 1, 65536)),
    OPTION(DEBUG, debug, OUTPUT, TRAIN,
           "at each validation write NAME_viz_EPOCH.png, an image under its predicted classes", SWITCH),
    OPTION(WEIGHTS, weights, MODEL, NETWORK | BENCH,
           "the backbone: a .safetensors, .pth or .onnx file, or the name of one in " WEIGHT_FOLDERS ", with "
           "or without that ending; otherwise the checkpoint's record, or --dino_type and --size, name it",
           STRING("FILE", NULL)),
    OPTION(DATA_ROOT, data_root, DATA, TRAIN | MEASURE | DEMO_DATA | BENCH,
           "the folder that holds the data set (VOCdevkit/, ADEChallengeData2016/, or images/ and masks/); "
           "demo-data writes there",
           STRING("DIR", "./data")),
    OPTION(N_CLASSES, n_classes, DATA, TRAIN | MEASURE | BENCH | SELFTEST | INFO,
           "the number of classes of --dataset folder, 2 to 255 (eval: the checkpoint's; bench, selftest, "
           "info: 21)",
           INTEGER("0", 2, 255)),
    OPTION(CLASS_NAMES, class_names, DATA, TRAIN | MEASURE | BENCH,
           "the names of the classes of --dataset folder, one a line", STRING("FILE", NULL)),
    OPTION(MASK_VALUES, mask_values, DATA, TRAIN | MEASURE | BENCH,
           "the pixel values in the masks of --dataset folder that are class 0, class 1, and so on: 0,255 if "
           "the "
           "second class is 255; 255 is ignored unless it is listed; not given: 0,1,2, ... (eval, corrupt "
           "and train "
           "from a checkpoint: the checkpoint's)",
           STRING("LIST", NULL)),
    OPTION(VOID_AS_BACKGROUND, void_as_background, DATA, TRAIN | MEASURE,
           "count VOC's void border as background, instead of ignoring it", SWITCH),
    OPTION(NORMALIZE, normalize, MODEL, NETWORK,
           "ImageNet's mean and standard deviation; auto: as the checkpoint records, none for a checkpoint "
           "without a record, and the recipe's choice for a new model",
           CHOICE("auto", "auto", "imagenet", "none")),
    OPTION(RECIPE, recipe, RUN, TRAIN | MEASURE,
           "reference repeats dinov2-finetune's main.py: --void_as_background, and in training "
           "--rope_rescale 2 and, "
           "for a new model, --normalize none; flags that are typed win",
           CHOICE("default", "default", "reference")),
    OPTION(RECOMPUTE, recompute, RUN, TRAIN | BENCH | INFO,
           "with --use_lora: keep no more than the input of each block for the backward pass and compute the "
           "rest again there; less memory, more time, the same gradients",
           SWITCH),
    OPTION(ROPE_RESCALE, rope_rescale, RUN, TRAIN | INFO,
           "while training DINOv3, scale the position coordinates by a random factor of 1/F to F; 1: off",
           .kind = DF_KIND_FLOAT, .metavar = "F", .initial = "1", .float_minimum = 1,
           .float_minimum_itself = true),
    OPTION(CACHE_FEATURES, cache_features, RUN, TRAIN,
           "without LoRA, run the backbone once over each image and keep what it finds, in memory or in "
           "NAME_features.cache, which later runs use again; auto: where it saves work and takes at most "
           "half of "
           "the memory left, or else of the disk",
           CHOICE("auto", "auto", "memory", "file", "off")),
    OPTION(OUTPUT_DIR, output_dir, OUTPUT, TRAIN | CORRUPT | IMAGES | PREDICT | PCA,
           "the folder that is written to", STRING("DIR", "output")),
    OPTION(DEVICE, device, MACHINE, NETWORK | BENCH | SELFTEST | INFO,
           "what computes; auto: the GPU if there is one that can be used, otherwise the CPU",
           CHOICE("auto", "auto", "cpu", "cuda")),
    OPTION(PRECISION, precision, MACHINE, NETWORK | BENCH | SELFTEST | INFO,
           "the type of matrix products and activations; auto: bf16 on a GPU and where the processor has "
           "instructions for it, otherwise fp32",
           CHOICE("auto", "auto", "fp32", "bf16")),
    OPTION(THREADS, threads, MACHINE, NETWORK | IMAGES | BENCH | SELFTEST,
           "processor cores that compute; 0: all", INTEGER("0", 0, 4096)),
    OPTION(SEED, seed, RUN, TRAIN | CORRUPT | IMAGES | DEMO_DATA | BENCH | SELFTEST,
           "of everything random: the same seed gives the same result", INTEGER("0", 0, INT64_MAX)),
    OPTION(NO_SHUFFLE, no_shuffle, RUN, TRAIN, "take the training images in the list's order", SWITCH),
    OPTION(NUM_WORKERS, num_workers, MACHINE, TRAIN | MEASURE | BENCH,
           "threads that read and resize images; 0: one for each core, at most 8", INTEGER("0", 0, 256)),
    OPTION(MAX_STEPS, max_steps, RUN, TRAIN, "stop after so many steps; 0: no limit",
           INTEGER("0", 0, INT64_MAX)),
    OPTION(VAL_EVERY, val_every, RUN, TRAIN,
           "epochs from one validation and checkpoint to the next; the last epoch always has them",
           INTEGER("5", 1, INT32_MAX)),
    OPTION(EVAL_SIZE, eval_size, OUTPUT, MEASURE,
           "measure at the network's input size, or at each label's original size as papers do",
           CHOICE("network", "network", "original")),
    OPTION(RESIZE, resize, DATA, MEASURE,
           "stretch brings every image to --img_dim; short keeps its ratio: the shorter side gets "
           "--img_dim's smaller "
           "number, the longer one what belongs to it, both in whole patches",
           CHOICE("stretch", "stretch", "short")),
    OPTION(SLIDE, slide, RUN, MEASURE,
           "run the model over square windows of CROP pixels, STRIDE apart, and average where they overlap",
           .kind = DF_KIND_PAIR, .metavar = "CROP STRIDE", .minimum = 1, .maximum = 32768),
    OPTION(
        TTA, tta, RUN, MEASURE,
        "test-time augmentation: average the class probabilities over --scales, each as it is and mirrored",
        SWITCH),
    OPTION(SCALES, scales, RUN, MEASURE, "the scales of --tta, of the size that images are resized to",
           STRING("LIST", "0.5,0.75,1,1.25,1.5,1.75")),
    OPTION(METRICS_JSON, metrics_json, OUTPUT, EVAL, "write all metrics to this file too, as JSON",
           STRING("FILE", NULL)),
    OPTION(IMAGES_CSV, images_csv, OUTPUT, EVAL, "write each image's scores to this file, the worst first",
           STRING("FILE", NULL)),
    OPTION(CONFUSION_PNG, confusion_png, OUTPUT, EVAL, "draw the confusion matrix into this file",
           STRING("FILE", NULL)),
    OPTION(REPORT_HTML, report_html, OUTPUT, EVAL,
           "write a report with tables, the confusion matrix and the best and worst images, all in this file",
           STRING("FILE", NULL)),
    OPTION(SUITE, suite, DATA, CORRUPT,
           "imagenet-c: the corruptions of imagecorruptions, one after the other; reference: the ten that "
           "dinov2-finetune "
           "draws from, one for each image",
           CHOICE("imagenet-c", "imagenet-c", "reference")),
    OPTION(CORRUPTIONS, corruptions, DATA, CORRUPT | IMAGES,
           "names, or common for ImageNet-C's standard fifteen, or all; corrupt: all where none are typed",
           STRING("NAMES", NULL), .required = IMAGES),
    OPTION(SEVERITY, severity, DATA, CORRUPT | IMAGES, "1 to 5, or all", STRING("LIST", "all")),
    OPTION(FROST_DIR, frost_dir, DATA, CORRUPT | IMAGES,
           "the folder of frost's photographs; otherwise the first folder frost in " WEIGHT_FOLDERS ", where "
           "scripts/get_frost.py puts it",
           STRING("DIR", NULL)),
    OPTION(RESTART, restart, RUN, CORRUPT, "measure everything anew, also what an earlier run has finished",
           SWITCH),
    OPTION(
        FOREGROUND, foreground, OUTPUT, PCA,
        "show the foreground alone, in colours of its own components: the patches in that half of the first "
        "component's range which images' borders have less of",
        SWITCH),
    OPTION(UPSAMPLE, upsample, OUTPUT, PCA,
           "smooth pictures whose edges follow the image's, instead of square patches", SWITCH),
    OPTION(SAVE_LOGITS, save_logits, OUTPUT, PREDICT, "write each image's logits too, as .safetensors",
           SWITCH),
    OPTION(OUTPUT, output, OUTPUT, FEATURES, "the .safetensors file that is written", STRING("FILE", NULL),
           .required = FEATURES),
    OPTION(LAYERS, layers, OUTPUT, FEATURES,
           "write the outputs of the last N blocks too, each through the final norm", INTEGER("0", 0, 1024)),
    OPTION(NAMING, naming, OUTPUT, CONVERT,
           "the names of a backbone's tensors: facebookresearch's or Hugging Face's",
           CHOICE("official", "official", "huggingface")),
    OPTION(DTYPE, dtype, OUTPUT, CONVERT, "the type that floating-point tensors are stored in",
           CHOICE("keep", "keep", "fp32", "fp16", "bf16")),
    OPTION(TRAIN_IMAGES, train_images, DATA, DEMO_DATA, "how many training images to draw",
           INTEGER("48", 1, 100000)),
    OPTION(VAL_IMAGES, val_images, DATA, DEMO_DATA, "how many validation images to draw",
           INTEGER("12", 1, 100000)),
    OPTION(
        STEPS, steps, RUN, BENCH | SELFTEST,
        "timed steps, after two that warm up; the median counts; selftest: training steps that are compared",
        INTEGER("10", 1, 100000)),
    OPTION(JSON, json, OUTPUT, BENCH | INFO,
           "write the figures, or the memory plans, to this file too; docs/measuring.md lists its keys",
           STRING("FILE", NULL)),
};

const char *df_group_title(enum df_option_group group)
{
    static const char *const titles[DF_GROUP_COUNT] = {"Model", "Data", "Run", "Output", "Machine"};
    return titles[group];
}

void df_list_append(char *text, const char *prefix, const char *item, int before, bool last, const char *word)
{
    size_t used = before == 0 ? 0 : strlen(text);
    char separator[16] = "";
    if (before > 0)
        snprintf(separator, sizeof separator, last ? " %s " : ", ", word);
    snprintf(text + used, DF_LIST_TEXT_MAX - used, "%s%s%s", separator, prefix, item);
}
