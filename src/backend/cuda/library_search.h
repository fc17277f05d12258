/* Where NVIDIA's libraries are looked for. Private to src/backend/cuda.
 *
 * A name is looked for in these places, in this order:
 *
 * 1. nvidia/NAME/lib in the Python packages beside the program, which is in PREFIX/bin: PREFIX/lib/python3.N
 * and site-packages (or dist-packages) there. pip put the program and the libraries into the same
 * environment, at versions that were asked for together. What the system has may be of an older CUDA, and
 * LD_LIBRARY_PATH may have been set for another program.
 * 2. Where the dynamic loader looks: LD_LIBRARY_PATH, then the system's folders.
 * 3. The active conda environment: CONDA_PREFIX/lib, then its Python packages.
 * 4. The toolkit's usual folder.
 *
 * A name that stands earlier, in a later place, comes before a later name in an earlier place. */
#ifndef DINOFT_LIBRARY_SEARCH_H
#define DINOFT_LIBRARY_SEARCH_H

/* Whether a library that loaded is of use: 0, or -1 with the error set. Then the search goes on. */
typedef int df_library_try(void *handle, void *user);

/* A handle of dlopen, never to be closed, to the first that loads and passes `try`, of the names (the last is
 * NULL; the one that is preferred first). NULL with the error set: where `what` was looked for, and why the
 * first one that loaded did not pass, or else why the first try did not load. */
void *df_library_load(const char *what, const char *const *names, df_library_try *try, void *user);

#endif
