/* The words that people have for the two splits, in folders and tables. */
#ifndef DINOFT_DATA_LAYOUTS_SPLITS_H
#define DINOFT_DATA_LAYOUTS_SPLITS_H

#include "dinoft/dataset.h"
#include "dinoft/name_list.h"

/* Whether a word is one of a split's, or of train's and val's: train, training; val, valid, validation; upper
 * and lower case are the same. */
bool df_split_is(const char *word, const char *const *words);
bool df_split_is_usual(const char *word);

/* The images of a split while they are chosen. */
#define DF_SPLIT_WORDS_NAMED 4
struct df_split_words {
    const char *const *wanted; /* df_part_words() */
    size_t taken, left;        /* left: those that are of neither train nor val nor this one */
    struct df_name_list words; /* theirs, each once; .most is DF_SPLIT_WORDS_NAMED */
};

/* Whether an image with that word is of the wanted split. */
bool df_split_words_take(struct df_split_words *words, const char *word);

/* Tells what is of other splits. -1 with the error set where nothing was taken. where: the pattern, or file.
 */
int df_split_words_check(const struct df_split_words *words, const char *where, bool tells);

#endif
