/* The table of commands. */
#include "options.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <string.h>

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* One row. Behind the description: the arguments without a flag, and example lines. */
#define COMMAND(ID, NAME, SUMMARY, DESCRIPTION, ARGUMENTS, ...)                                              \
    [DF_COMMAND_##ID] = {.name = NAME,                                                                       \
                         .summary = SUMMARY,                                                                 \
                         .description = DESCRIPTION,                                                         \
                         ARGUMENTS,                                                                          \
                         .examples = LIST(__VA_ARGS__)}
#define TAKES(ARGUMENTS, LEAST, MOST) .arguments = ARGUMENTS, .min_inputs = LEAST, .max_inputs = MOST
#define NOTHING                       TAKES("", 0, 0)
#define IMAGES                        TAKES("IMAGE...", 1, INT32_MAX)
#define ONE_OF(ARGUMENT, CHOICES)                                                                            \
    TAKES(ARGUMENT, 0, 1), .input_choices = ((const char *const[]){CHOICES(DF_CHOICE_TEXT) NULL})

#define NAMES_OF_IMAGES                                                                                      \
    " IMAGE is a file, a folder (its images), a quoted pattern ('photos/**/*.jpg'), @FILE with a name a "    \
    "line, "                                                                                                 \
    "or - for names on standard input."
#define FROM_THE_CHECKPOINT                                                                                  \
    " The decoder, the rank of LoRA, the number of classes, the image size and the normalisation are taken " \
    "from the checkpoint, and so is the backbone's name where --weights names no file."

const struct df_command_info df_commands[DF_COMMAND_COUNT] = {
    COMMAND(TRAIN, "train", "train a decoder, and LoRA in the backbone, on a data set",
            "The backbone itself stays as it is. The folder --output_dir gets NAME.pt (the checkpoint), "
            "NAME_metrics.json, NAME_steps.csv and NAME_config.json, where NAME is --exp_name. Ctrl-C ends "
            "after the current step, with a checkpoint written.",
            NOTHING, "dinoft train --dataset voc --data_root demo --dino_type dinov2 --size small --use_lora",
            "dinoft train --dataset folder --data_root photos --n_classes 3 --use_fpn --exp_name photos"),
    COMMAND(
        SWEEP, "sweep", "train with each combination of lists of values, one run after the other",
        "A flag of train may have several values, with commas between them, or semicolons where one value is "
        "two numbers or a list itself (--img_dim, --augment_scale, --lora_targets, --lora_blocks, "
        "--mask_values, --ignore_value, --merge_classes, --ignore_classes, --image_range, --bands, "
        "--class_weights): --lr 1e-3,3e-3 --img_dim '252,252;490,490'. A switch has them "
        "behind an equals sign: --use_lora=on,off. What the backbone finds is computed once for all runs "
        "that "
        "can share it (--cache_features), if those with the same --img_dim follow each other: the last list "
        "changes from run to run. The runs are named NAME_lr=1e-3, ..., where NAME is --exp_name; the same "
        "command goes on where it was stopped. It ends with a table, NAME_sweep.html and NAME_sweep.csv, "
        "sorted by the best validation, with means over the runs that differ by --seed alone.",
        NOTHING, "dinoft sweep --config base.json --lr 5e-4,1e-3,2e-3 --seed 0,1,2",
        "dinoft sweep --dataset voc --data_root demo --dino_type dinov2 --size small --use_lora=on,off --lr "
        "1e-3,1e-2 --dry_run"),
    COMMAND(
        EVAL, "eval", "measure a checkpoint, or prototypes, on a data set's validation images",
        "Prints the IoU of each class, mIoU and pixel accuracy, all from one confusion matrix; for the "
        "reference recipes also that project's own two numbers, which are always in the "
        "files. --prototypes needs no checkpoint, and no training." FROM_THE_CHECKPOINT,
        NOTHING,
        "dinoft eval --dataset voc --data_root demo --lora_weights output/voc_small_linear.pt "
        "--eval_size original --report_html report.html",
        "dinoft eval --dataset voc --data_root demo --lora_weights output/voc_small_linear.pt --tta "
        "--scales 0.75,1,1.5",
        "dinoft eval --dataset voc --data_root demo --dino_type dinov2 --size small --prototypes --shots 5"),
    COMMAND(CORRUPT, "corrupt", "measure a checkpoint's robustness to image corruptions",
            "Evaluates the checkpoint on clean images and under every corruption and severity, prints a "
            "table of mIoU, and writes NAME_corruptions.json, .csv and .html to the folder --output_dir. A "
            "run that was stopped goes on where it ended when the same command is typed "
            "again." FROM_THE_CHECKPOINT,
            NOTHING,
            "dinoft corrupt --dataset voc --data_root demo --lora_weights output/voc_small_linear.pt "
            "--corruptions fog,contrast --severity 1,3,5"),
    COMMAND(CORRUPT_IMAGES, "corrupt-images", "write corrupted copies of images",
            "The folder --output_dir gets IMAGE_CORRUPTION_SEVERITY.png of each image, corruption and "
            "severity." NAMES_OF_IMAGES,
            IMAGES,
            "dinoft corrupt-images photos/*.jpg --corruptions fog,snow --severity 1,3,5 "
            "--output_dir corrupted"),
    COMMAND(PREDICT, "predict", "segment images with a checkpoint",
            "Of each image the folder --output_dir gets IMAGE.png, whose pixels are the numbers of the "
            "classes, in the colours of a palette, and IMAGE_overlay.png, the image under these colours "
            "(--write names others). "
            "Both have the image's size. The colours are those of ADE20K for a checkpoint of its training, "
            "otherwise Pascal VOC's; a first class that is called background leaves the image as it is. An "
            "image that cannot be read is told, and the others are done. --slide, --tta and --resize do what "
            "they do in eval." NAMES_OF_IMAGES FROM_THE_CHECKPOINT,
            IMAGES,
            "dinoft predict photos/*.jpg --lora_weights output/voc_small_linear.pt --output_dir masks",
            "dinoft predict photos --recursive --lora_weights output/voc_small_linear.pt --output_dir masks "
            "--skip_existing --summary masks/summary.csv"),
    COMMAND(FEATURES, "features", "write a backbone's features of images",
            "The file holds the tensors x_norm_clstoken and x_norm_patchtokens of all images, in the order "
            "in which they are named, and with --layers also intermediate_0, intermediate_1 and so on. Its "
            "metadata have the images' names under images, a list in JSON." NAMES_OF_IMAGES,
            IMAGES,
            "dinoft features photos/*.jpg --dino_type dinov2 --size small --output features.safetensors"),
    COMMAND(PCA, "pca", "picture the principal components of a backbone's features",
            "Of each image the folder --output_dir gets IMAGE_pca.png: the first three principal "
            "components of the patches' features as red, green and blue. They are the components of all "
            "images together, so that a colour means the same in all of them." NAMES_OF_IMAGES,
            IMAGES,
            "dinoft pca photos/*.jpg --dino_type dinov2 --size small --foreground --upsample "
            "--output_dir pca"),
    COMMAND(CONVERT, "convert", "rewrite a backbone or checkpoint in another format",
            "IN is a file of PyTorch, safetensors or ONNX; its content tells which. The ending of OUT says "
            "what is written: .pt or .pth for PyTorch, or .safetensors.",
            TAKES("IN OUT", 2, 2), "dinoft convert output/voc_small_linear.pt lora.safetensors",
            "dinoft convert weights/dinov2_vits14_reg.pth dinov2.safetensors --naming huggingface "
            "--dtype bf16"),
    COMMAND(
        REPORT, "report", "make a page of the curves and settings of training runs",
        "RUN is the beginning of the names of a run's files (output/voc_lora), one of these files, or a "
        "folder "
        "with the files of runs. Of several runs, which are sorted by their best validation, the page shows "
        "the curves beside each other, and those settings that differ; of one run it shows what its own page "
        "NAME_report.html does, but for the pictures. It is one file, which fetches nothing.",
        TAKES("RUN...", 1, INT32_MAX), "dinoft report output/voc_lora output/voc_fpn --output runs.html",
        "dinoft report output --output runs.html"),
    COMMAND(
        DATA, "data", "read a data set once, and say what is in it and what is wrong with it",
        "Prints the number and sizes of the images, the pixels of each class, the weights that "
        "--class_weights auto would use, images that are there twice, and every file that cannot be used; "
        "--json and --report_html write it too, the latter with samples and their masks. The exit status "
        "is 1 if training would fail.",
        NOTHING, "dinoft data --dataset voc --data_root demo",
        "dinoft data --dataset folder --data_root photos --n_classes 3 --report_html photos.html "
        "--show_augmented"),
    COMMAND(INFO, "info", "say what a weight file or checkpoint holds, or how much memory a model takes",
            "Without FILE, --dino_type and --size name the model. The memory is what training and "
            "evaluation with these flags would take; none of it is taken here.",
            TAKES("[FILE]", 0, 1), "dinoft info output/voc_small_linear.pt",
            "dinoft info output/voc_small_linear.pt --memory --batch_size 12",
            "dinoft info --dino_type dinov2 --size small --use_lora --batch_size 12"),
    COMMAND(DEMO_DATA, "demo-data", "write a small data set of drawn shapes to try the program on",
            "It has the form of Pascal VOC, which --dataset voc reads.", NOTHING,
            "dinoft demo-data --data_root demo"),
    COMMAND(BENCH, "bench", "measure speed and memory here; MODE is train, eval, ops (of both) or loader",
            "train, which is the default, and eval measure whole steps. ops lists the operations of such "
            "steps with their shapes and speeds, the longest first. All three take random images and, "
            "without --weights, random weights. loader counts how many images of a data set are read a "
            "second.",
            ONE_OF("[MODE]", DF_BENCH_MODES),
            "dinoft bench train --dino_type dinov2 --size small --use_lora --batch_size 2",
            "dinoft bench loader --dino_type dinov2 --dataset voc --data_root demo --steps 50"),
    COMMAND(SELFTEST, "selftest",
            "compare each operation of a device with the CPU in fp32, and a short training run",
            "The flags name the model whose shapes are taken; weights and images are random. The exit "
            "status is 0 only if all agree.",
            NOTHING, "dinoft selftest --dino_type dinov2 --size small --img_dim 224 224 --batch_size 2"),
};

const char *const df_program_examples[] = {
    "dinoft demo-data --data_root demo",
    "dinoft train --dataset voc --data_root demo --dino_type dinov2 --size small --use_lora",
    "dinoft eval --dataset voc --data_root demo --lora_weights output/voc_small_linear.pt",
    "dinoft predict demo/VOCdevkit/VOC2012/JPEGImages/val_*.jpg --lora_weights output/voc_small_linear.pt",
    "dinoft info output/voc_small_linear.pt",
    NULL,
};

const char *df_command_name(enum df_command command)
{
    return df_commands[command].name;
}

char *df_command_list(unsigned commands, char text[DF_LIST_TEXT_MAX])
{
    int before = 0;
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        if (commands >> c & 1)
            df_list_append(text, "", df_commands[c].name, before++, commands >> c == 1, "and");
    }
    return text;
}

int df_find_command(const char *word, enum df_command *command)
{
    const char *names[DF_COMMAND_COUNT];
    char list[DF_LIST_TEXT_MAX];
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        names[c] = df_commands[c].name;
        if (strcmp(word, names[c]) == 0) {
            *command = (enum df_command)c;
            return 0;
        }
    }
    int nearest = df_text_nearest(word, names, DF_COMMAND_COUNT);
    if (nearest >= 0)
        return df_error_set("unknown command '%s': did you mean '%s'?", word, names[nearest]);
    return df_error_set("unknown command '%s': the commands are %s", word,
                        df_command_list((1u << DF_COMMAND_COUNT) - 1, list));
}
