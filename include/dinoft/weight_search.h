/* Where weights, and folders of other files that lie beside them, are looked for when only a name is known.
 *
 * The folders, in this order:
 *   each of $DINOFT_WEIGHTS, between colons
 *   weights                            of the current folder
 *   $XDG_DATA_HOME/dinoft/weights      $HOME/.local/share/… where XDG_DATA_HOME is no absolute path
 *   PREFIX/share/dinoft/weights        PREFIX is the folder above that of the running program
 * Where nobody knows the home, or the program's place, those are left out. scripts/fetching.py has the same
 * list.
 *
 * In a folder, NAME.safetensors counts before NAME.pth, and that before NAME.onnx; a folder of such a name is
 * no weight file. Paths that are returned are the caller's to free. */
#ifndef DINOFT_WEIGHT_SEARCH_H
#define DINOFT_WEIGHT_SEARCH_H

/* Each folder once, whether it exists or not. */
struct df_weight_folders {
    char **paths;
    int count;
};

/* -1 with the error set: no memory. Free it in either case. */
int df_weight_folders_list(struct df_weight_folders *folders);
void df_weight_folders_free(struct df_weight_folders *folders);

/* The backbone of a published name ("dinov2_vits14_reg"). NULL with the error set, which lists where it was
 * looked for and says what fetches it. */
char *df_find_backbone(const char *name);

/* The file that somebody means who types a name. What has a slash, or is a file of the current folder, is
 * that path; anything else is looked for in the folders, as it is and with the endings. NULL with the error
 * set, which lists where it was looked for, without the name; a path with a slash is not looked at. */
char *df_find_typed_weights(const char *typed);

/* The first folder NAME in the folders. NULL with the error set, which lists where it was looked for. */
char *df_find_weight_subfolder(const char *name);

#endif
