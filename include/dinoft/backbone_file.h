/* Backbones in files: every naming scheme renamed to the official one and back.
 *
 * Official names (facebookresearch/dinov2 and dinov3): cls_token, pos_embed, register_tokens (DINOv2) /
 * storage_tokens (DINOv3), mask_token, patch_embed.proj.{weight,bias}, rope_embed.periods,
 * blocks.N.{norm1,norm2}.{weight,bias}, blocks.N.attn.{qkv,proj}.{weight,bias}, blocks.N.attn.qkv.bias_mask,
 * blocks.N.{ls1,ls2}.gamma, blocks.N.mlp.{fc1,fc2 | w12,w3 | w1,w2,w3}.{weight,bias}, norm.*, cls_norm.*,
 * local_cls_norm.*. */
#ifndef DINOFT_BACKBONE_FILE_H
#define DINOFT_BACKBONE_FILE_H

#include "dinoft/vit_config.h"
#include "dinoft/weight_file.h"

/* Reads a backbone in any format (torch-hub .pth, also nested under model / teacher / state_dict and with
 * prefixes module. / backbone.; Hugging Face; ONNX export; dinoft's own safetensors) and returns it under
 * official names, stored types kept, q k v joined into qkv. Tensors that no backbone has (heads, …) are left
 * out. Only what must change is copied. The configuration is read and checked, for Hugging Face's names also
 * against the config.json beside the file. NULL with the error naming the file. */
struct df_state *df_backbone_read(const char *path, struct df_vit_config *config);

/* The same for a state already read from path (consumed, also on failure). */
struct df_state *df_backbone_from_state(struct df_state *state, const char *path,
                                        struct df_vit_config *config);

/* Whether a state looks like a backbone (in any naming), rather than a LoRA + decoder checkpoint. */
bool df_state_is_backbone(const struct df_state *state);

/* Official names -> Hugging Face's (Dinov2 / Dinov2WithRegisters / DINOv3ViT); qkv is split. The result
 * borrows from `official`, which must outlive it. */
struct df_state *df_backbone_to_huggingface(const struct df_state *official,
                                            const struct df_vit_config *config);

/* Random weights of the given dimensions under official names, float32. NULL with the error set. */
struct df_state *df_backbone_random(const struct df_vit_config *config, uint64_t seed);

#endif
