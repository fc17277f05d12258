/* Where NVIDIA's libraries are looked for. Private to src/backend/cuda.
 *
 * A name is looked for in these places, in this order:
 *
 * 1. nvidia/NAME/lib in the Python packages beside the program, which is in PREFIX/bin: PREFIX/lib/python3.N
 * and site-packages (or dist-packages) there. pip put the program and the libraries into the same
 * environment, at versions that were asked for together. What the system has may be of an older CUDA, and
 * LD_LIBRARY_PATH may have been set for another program.
 * 2. Where the dynamic loader looks: LD_LIBRARY_PATH, then the system's folders.
 * 3. The toolkit's usual folder.
 *
 * A newer name in a later place comes before an older name in an earlier one. */
#ifndef DINOFT_LIBRARY_SEARCH_H
#define DINOFT_LIBRARY_SEARCH_H

/* A handle of dlopen to the first that loads of the names (the last is NULL; the newest first). NULL with the
 * error set: where `what` was looked for, and why the first try failed. */
void *df_library_load(const char *what, const char *const *names);

#endif
