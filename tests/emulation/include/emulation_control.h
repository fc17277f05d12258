/* What tests can ask of the emulated device beside CUDA's functions. */
#ifndef EMULATION_CONTROL_H
#define EMULATION_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How much memory the device has (8 GiB, or DF_EMULATION_MEMORY bytes, until this is called). */
void df_emulation_set_memory(size_t bytes);
size_t df_emulation_memory_in_use(void);

/* Whether kernels are compiled so that every access to memory is seen. */
bool df_emulation_checks_accesses(void);
bool df_emulation_has_address_sanitizer(void);

#ifdef __cplusplus
}
#endif

#endif
