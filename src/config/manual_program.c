/* dinoft(1): what concerns all commands. */
#include "general.h"
#include "manual.h"
#include "roff.h"

struct entry {
    const char *syntax, *text;
};

static const char *const description[] = {
    "dinoft trains a decoder, and LoRA in a frozen DINOv2 or DINOv3 backbone, for semantic segmentation. It "
    "also evaluates such models, measures their robustness to image corruptions, segments images with them, "
    "and shows what a backbone sees. Flags without a command mean train.",
    "The value of a flag is the next word, or stands behind '=' in the same word. Two numbers are two words, "
    "or one with a comma: --img_dim 490 490 and --img_dim=490,490 are the same. In a flag's name '-' may "
    "stand for '_', and the name may be cut short where no other flag of the command begins in the same way. "
    "A switch takes no value; --no_NAME turns the switch --NAME off again. If a flag is typed twice, the "
    "last "
    "one counts. Words behind -- are never flags.",
    "An error is one line on standard error. The same --seed gives the same bits on the same machine.",
    NULL,
};

static const struct entry files[] = {
    {"weights/",
     "Backbones (NAME.safetensors, NAME.pth or NAME.onnx) and frost/, the photographs of the corruption "
     "frost. "
     "They are looked for in the folders of $DINOFT_WEIGHTS, then in ./weights, in "
     "$XDG_DATA_HOME/dinoft/weights, and in PREFIX/share/dinoft/weights of the program PREFIX/bin/dinoft. "
     "--weights and --frost_dir name other places. dinoft-get-weights fetches backbones."},
    {"~/.cache/dinoft/",
     "On a GPU: which algorithms were chosen for matrix products and attention, so that later runs give the "
     "same bits. Files here may be deleted; then the choice is made anew."},
    {NULL, NULL},
};

static const struct entry environment[] = {
    {"DINOFT_WEIGHTS", "Folders in which weights are looked for first, with colons between them."},
    {"XDG_DATA_HOME", "The folder that holds dinoft/weights; ~/.local/share where it is not set."},
    {"XDG_CACHE_HOME", "The folder that holds dinoft's cache; ~/.cache where it is not set."},
    {"CUDA_VISIBLE_DEVICES",
     "The numbers of the GPUs that the program may see, of which it takes the first. Empty: none."},
    {"DINOFT_CUDA_ALGO",
     "first: a GPU takes the first algorithm that its libraries propose, instead of timing "
     "several, and the cache is neither read nor written."},
    {"SOURCE_DATE_EPOCH",
     "The time that reports say they were made at, in seconds since 1970; where it is not set, the present."},
    {"ONEDNN_MAX_CPU_ISA",
     "The newest instructions of the processor that are used, such as AVX2, by oneDNN and "
     "by dinoft's own code."},
    {"GOMP_SPINCOUNT, OMP_WAIT_POLICY", "How long threads that have no work wait before they sleep. Where "
                                        "neither is set, dinoft makes that short."},
    {NULL, NULL},
};

static const struct entry statuses[] = {
    {"0", "All is done; of selftest: all agreed."},
    {"1", "An error, told by the last line on standard error; of selftest also: something did not agree."},
    {"2", "The command line is wrong, and nothing was done."},
    {"130", "The command was stopped by Ctrl-C, or by the signal TERM or HUP."},
    {NULL, NULL},
};

static void print_entries(FILE *stream, const char *title, const struct entry *entries)
{
    df_manual_section(stream, title);
    for (; entries->syntax; entries++)
        df_manual_entry(stream, entries->syntax, entries->text);
}

static void print_synopsis(FILE *stream)
{
    df_manual_section(stream, "SYNOPSIS");
    df_roff_syntax(stream, "dinoft [COMMAND] [FLAGS]");
    fprintf(stream, "\n.br\n");
    df_roff_syntax(stream, "dinoft help [COMMAND]");
    fputc('\n', stream);
}

static void print_description(FILE *stream)
{
    df_manual_section(stream, "DESCRIPTION");
    for (int i = 0; description[i]; i++) {
        fputs(i > 0 ? ".PP\n" : "", stream);
        df_roff_sentences(stream, description[i]);
    }
}

static void print_commands(FILE *stream)
{
    char syntax[DF_OPTION_TEXT_MAX];
    df_manual_section(stream, "COMMANDS");
    df_roff_sentences(stream, "The flags of each are in a manual page of its own, such as dinoft-train(1).");
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        const struct df_command_info *info = &df_commands[c];
        snprintf(syntax, sizeof syntax, "%s%s%s", info->name, info->arguments[0] ? " " : "", info->arguments);
        df_manual_entry(stream, syntax, info->summary);
    }
    df_manual_entry(stream, "help [COMMAND]", DF_HELP_SUMMARY);
}

static void print_flags(FILE *stream)
{
    char syntax[DF_OPTION_TEXT_MAX];
    df_manual_section(stream, "OPTIONS");
    for (int i = 0; i < DF_GENERAL_COUNT; i++) {
        df_general_flag_text(&df_general_flags[i], syntax);
        df_manual_entry(stream, syntax, df_general_flags[i].help);
    }
}

void df_manual_program(FILE *stream)
{
    print_synopsis(stream);
    print_description(stream);
    print_commands(stream);
    print_flags(stream);
    print_entries(stream, "EXIT STATUS", statuses);
    print_entries(stream, "ENVIRONMENT", environment);
    print_entries(stream, "FILES", files);
    df_manual_examples(stream, df_program_examples);
    df_manual_section(stream, "SEE ALSO");
    for (int c = 0; c < DF_COMMAND_COUNT; c++) {
        fprintf(stream, ".BR dinoft\\-");
        df_roff_text(stream, df_commands[c].name);
        fprintf(stream, " (1)%s\n", c + 1 < DF_COMMAND_COUNT ? "," : "");
    }
}
