/* --class_weights: names and weights, and files of weights. */
#include "fuzz.h"

#include "dinoft/class_weights.h"
#include "dinoft/log.h"

#include <stdlib.h>
#include <string.h>

#define CLASSES 3

static void choose(const char *text)
{
    static char *names[CLASSES] = {"sky", "ground", "fl\303\244che"};
    const struct df_dataset set = {.n_classes = CLASSES, .class_names = names};
    struct df_loss_options loss = {0};
    float sum = 0.0f;

    fuzz_forget_error();
    if (df_class_weights_choose(text, &set, &loss) != 0) {
        fuzz_check_error();
        return;
    }
    for (int i = 0; loss.weighted && i < CLASSES; i++) {
        fuzz_check(loss.class_weights[i] >= 0.0f && loss.class_weights[i] <= 1e6f, "weights in range");
        sum += loss.class_weights[i];
    }
    fuzz_check(!loss.weighted || sum > 0.0f, "a weight above 0");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char file[FUZZ_PATH_MAX];
    char *text = malloc(size + 1);

    if (!*file) {
        fuzz_path("weights.txt", file);
        df_log_settings(true, -1);
    }
    fuzz_check(text != NULL, "memory");
    memcpy(text, data, size);
    text[size] = '\0';
    if (strchr(text, '=')) /* else it is a path */
        choose(text);
    free(text);
    fuzz_write(file, data, size);
    choose(file);
    return 0;
}
