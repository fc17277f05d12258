#include "splits.h"

#include "../split_folders.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_TEXT 40

bool df_split_is(const char *word, enum df_split split)
{
    for (const char *const *known = df_split_words(split); *known; known++) {
        if (strcasecmp(word, *known) == 0)
            return true;
    }
    return false;
}

bool df_split_words_take(struct df_split_words *words, const char *word)
{
    char shown[WORD_TEXT];

    if (df_split_is(word, words->wanted)) {
        words->taken++;
        return true;
    }
    if (df_split_is(word, words->wanted == DF_SPLIT_TRAIN ? DF_SPLIT_VAL : DF_SPLIT_TRAIN))
        return false;
    words->left++;
    snprintf(shown, sizeof shown, "'%.30s'", word);
    if (!strstr(words->words.text, shown))
        df_name_list_add(&words->words, "%s", shown);
    return false;
}

int df_split_words_check(const struct df_split_words *words, const char *where, bool tells)
{
    static const char *const expected[] = {
        [DF_SPLIT_TRAIN] = "train or training", [DF_SPLIT_VAL] = "val, valid or validation"};

    if (words->left > 0 && tells)
        df_log("%zu image%s of %s %s of other splits than train and val, and not used: %s", words->left,
               words->left == 1 ? "" : "s", where, words->left == 1 ? "is" : "are", words->words.text);
    if (words->taken > 0)
        return 0;
    if (words->left > 0)
        return df_error_set("no image of %s is of the split %s: there is %s", where, expected[words->wanted],
                            words->words.text);
    return df_error_set("no image of %s is of the split %s", where, expected[words->wanted]);
}
