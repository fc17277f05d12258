"""What the comments of kernels/*.cu claim, as far as it shows in their instructions.

CLAIMS has a line for each kernel: its file, a pattern for its name, and what holds for it. Numbers are bits where it is a
width, and otherwise counts. A kernel that is new needs a line here.

    loads, stores   the widths of the global loads and stores, all of them: a vector's, and an element's where a row or an
                    array may end within a vector; None: nothing is claimed
    copies          the widths of the asynchronous copies to shared memory
    shared_loads    the widths of the loads from shared memory that a product's operands take
    threads, blocks so many blocks of so many threads have registers on a multiprocessor (__launch_bounds__)
    no_more         and not one more: registers are what limits it
    tensor          the share of the floating-point operations that tensor cores do, at the least
    loads_first     so many loads of the widest kind are under way before the first store
    local           an indexed array in local memory is one of CUDA's own functions', on a path that the comment says is not taken
    ahead           so many multiplications come between the loads of the next tile and where they are used
"""
import collections

FIELDS = "loads stores copies shared_loads threads blocks no_more tensor loads_first local ahead"
Claim = collections.namedtuple("Claim", FIELDS, defaults=[None] * len(FIELDS.split()))


def elements(*types):
    """Kernels whose threads take single elements: their widths are the elements'."""
    return Claim(loads={types[0]}, stores={types[-1]})


def vectors(load, store, threads=256, blocks=1, **more):
    return Claim(loads=set(load), stores=set(store), threads=threads, blocks=blocks, **more)


def product(ahead, **more):
    """gemm_tile.cuh: operands in 16-byte loads where rows allow it, while the pair before them is multiplied."""
    return Claim(shared_loads=more.pop("shared_loads", {128}), threads=128, blocks=2, ahead=ahead, **more)


def attention_bf16(head_size, ahead, **more):
    """The next tile is copied, 16 bytes at a time, while tensor cores work on the present one. Eight warps: two blocks of four
    with head size 64, one of eight with 128."""
    threads, blocks = (128, 2) if head_size == 64 else (256, 1)
    return Claim(copies={128}, threads=threads, blocks=blocks, tensor=0.9, ahead=ahead, **more)


def attention_f32(**more):
    return Claim(copies={128}, threads=256, blocks=2, **more)


# layernorm.cu's vectors of a thread, and threads of a row. Warps have a row each, four in a block.
ROWS = ((2, 32), (3, 32), (6, 32), (8, 32), (2, 256), (4, 256), (8, 256))

WIDTHS = {"bfloat16": 16, "float": 32}  # of an element

CLAIMS = [
    # activation.cu: a thread takes 16 bytes of each tensor.
    ("activation.cu", r"swiglu_backward<\w+, [48]>", vectors([128], [128], loads_first=3)),
    ("activation.cu", r"swiglu_forward<\w+, [48]>", vectors([128], [128], loads_first=2)),
    ("activation.cu", r"swiglu_\w+<bfloat16, 1>", elements(16)),
    ("activation.cu", r"swiglu_\w+<float, 1>", elements(32)),
    ("activation.cu", r"gelu_backward<bfloat16>", vectors([16, 128], [16, 128], blocks=4, loads_first=2)),
    ("activation.cu", r"gelu_backward<float>", vectors([32, 128], [32, 128], blocks=4, loads_first=2)),
    ("activation.cu", r"gelu_forward<bfloat16>", vectors([16, 128], [16, 128])),
    ("activation.cu", r"gelu_forward<float>", vectors([32, 128], [32, 128])),

    # adamw.cu: 16 bytes of each array.
    ("adamw.cu", r"adamw", vectors([32, 128], [32, 128], loads_first=4)),

    # attention_backward.cu: eight warps an SM, which is what registers allow. Its 64-bit stores are each query's two numbers.
    *[("attention_backward.cu", rf"gradient_of_queries_bf16<{head_size}>",
       attention_bf16(head_size, 64, no_more=True, loads={32, 128}, stores={64, 128})) for head_size in (64, 128)],
    ("attention_backward.cu", r"gradient_of_keys_bf16<64, true>",
     attention_bf16(64, 64, no_more=True, loads=set(), stores={128})),
    ("attention_backward.cu", r"gradient_of_keys_bf16<64, false>", attention_bf16(64, 32, loads=set(), stores={128})),
    ("attention_backward.cu", r"gradient_of_keys_bf16<128, \w+>",
     attention_bf16(128, 32, no_more=True, loads=set(), stores={128})),
    ("attention_backward.cu", r"gradient_of_queries_f32<\d+>", attention_f32(loads={32, 128}, stores={64, 128})),
    ("attention_backward.cu", r"gradient_of_keys_f32<\d+, \w+>", attention_f32(stores={128})),

    # attention_forward.cu: the same. Its 32-bit stores are lse.
    *[("attention_forward.cu", rf"forward_bf16<{head_size}>",
       attention_bf16(head_size, 64, no_more=True, loads=set(), stores={32, 128})) for head_size in (64, 128)],
    ("attention_forward.cu", r"forward_f32<\d+>", attention_f32(no_more=True, loads=set(), stores={32, 128})),

    # batchnorm.cu: vectors without gaps; parameters and what does not fill a vector element by element.
    ("batchnorm.cu", r"sum_kernel<4, \w+>", vectors([32, 128], [64], blocks=2)),
    ("batchnorm.cu", r"normalize_kernel<4>", vectors([32, 128], [32, 128], blocks=2)),
    ("batchnorm.cu", r"gradient_kernel<4>", vectors([32, 128], [32, 128], blocks=2)),
    ("batchnorm.cu", r"sum_kernel<1, \w+>", vectors([32], [64], blocks=2)),
    ("batchnorm.cu", r"(normalize|gradient)_kernel<1>", vectors([32], [32], blocks=2)),
    ("batchnorm.cu", r"(statistics|parameter_gradient)_kernel", Claim(threads=512, blocks=1)),

    # columns.cu: the columns of 16 bytes, or one.
    ("columns.cu", r"add_bias<4>", vectors([128], [128])),
    ("columns.cu", r"add_bias<1>", vectors([32], [32])),
    ("columns.cu", r"sum_rows<(float, 4|bfloat16, 8), double>", vectors([128], [64], blocks=3)),
    ("columns.cu", r"sum_rows<(float, 4|bfloat16, 8), float>", vectors([128], [32], blocks=3)),
    ("columns.cu", r"sum_rows<\w+, 1, \w+>", Claim(threads=256, blocks=3)),

    ("boundary_overlap.cu", r"(row|count)_kernel", Claim(threads=256, blocks=1)),
    ("calibration.cu", r"calibration", vectors([8, 32], [])),

    ("confusion_matrix.cu", r"confusion_matrix", vectors([8], [])),

    # conv.cu: products whose operand is read out of a map.
    ("conv.cu", r"(window|weight_gradient)_kernel<gemm_tile<128, 64, .*", product(256)),
    ("conv.cu", r"(window|weight_gradient)_kernel<gemm_tile<128, 32, .*", product(128)),
    ("conv.cu", r"reduce_splits_kernel", Claim(threads=256, blocks=1)),

    # convert.cu: 16 bytes of the wider matrix.
    ("convert.cu", r"convert<bfloat16, bfloat16, 8>", vectors([16, 128], [16, 128])),
    ("convert.cu", r"convert<bfloat16, float, 4>", vectors([32, 128], [16, 64])),
    ("convert.cu", r"convert<float, bfloat16, 4>", vectors([16, 64], [32, 128])),
    ("convert.cu", r"convert<float, float, 4>", vectors([32, 128], [32, 128])),
    ("convert.cu", r"convert<bfloat16, bfloat16, 1>", elements(16)),
    ("convert.cu", r"convert<bfloat16, float, 1>", elements(32, 16)),
    ("convert.cu", r"convert<float, bfloat16, 1>", elements(16, 32)),
    ("convert.cu", r"convert<float, float, 1>", elements(32)),

    # gradient.cu: 16 bytes of each array; 64 bits are a loss, or a block's sum of squares.
    ("gradient.cu", r"add_gradient", vectors([32, 64, 128], [32, 64, 128])),
    ("gradient.cu", r"sum_squares", vectors([32, 128], [64])),
    ("gradient.cu", r"scale_gradient", Claim(threads=512, blocks=1)),

    # image.cu: three words in, 16 bytes out; the loads of 4 groups are all under way before the first is stored.
    ("image.cu", r"normalize_fours", vectors([32], [128], loads_first=3)),
    ("image.cu", r"normalize_ones", elements(8, 32)),
    ("image.cu", r"cut_patches<float, 16, 4>", vectors([128], [128], loads_first=4)),
    ("image.cu", r"cut_patches<bfloat16, 16, 4>", vectors([128], [64], loads_first=4)),
    ("image.cu", r"cut_patches<float, 14, 2>", vectors([64], [64], loads_first=4)),
    ("image.cu", r"cut_patches<bfloat16, 14, 2>", vectors([64], [32], loads_first=4)),
    ("image.cu", r"cut_patches<float, 0, 1>", vectors([32], [32], loads_first=4)),
    ("image.cu", r"cut_patches<bfloat16, 0, 1>", vectors([32], [16], loads_first=4)),

    # layernorm.cu: four channels a vector, in registers. The 32-bit accesses are a row's mean and rstd.
    *[("layernorm.cu", rf"forward_kernel<{type_}, {vectors_}, {threads}>",
       vectors([128], [32, store], max(threads, 128), 2, loads_first=vectors_))
      for type_, store in (("bfloat16", 64), ("float", 128)) for vectors_, threads in ROWS],
    *[("layernorm.cu", rf"backward_kernel<{type_}, {vectors_}, {threads}>",
       vectors([32, load, 128], [128], max(threads, 128), 2, loads_first=2 * vectors_))
      for type_, load in (("bfloat16", 64), ("float", 128)) for vectors_, threads in ROWS],
    ("layernorm.cu", r"(forward|backward)_any_kernel<\w+>", Claim(threads=256, blocks=1)),

    # matmul.cu: the long matrix in 16-byte loads, elements at its borders.
    ("matmul.cu", r"product_kernel<gemm_tile<128, 64, .*", product(256)),
    ("matmul.cu", r"product_kernel<gemm_tile<128, 32, .*", product(128)),
    ("matmul.cu", r"product_kernel<gemm_tile<128, 16, .*", product(64)),
    ("matmul.cu", r"product_kernel<gemm_tile<128, 8, .*", product(32, shared_loads={64, 128})),
    ("matmul.cu", r"reduce_splits_kernel", Claim(threads=256, blocks=1)),

    # moving_average.cu: 16 bytes of both arrays.
    ("moving_average.cu", r"moving_average", vectors([32, 128], [32, 128], loads_first=2)),

    # nearest.cu: 4 channels a thread, or one.
    ("nearest.cu", r"nearest_\w+<4.*>", vectors([128], [128])),
    ("nearest.cu", r"nearest_\w+<1.*>", elements(32)),

    # resize_batch.cu: single bytes; 64 bits are an image's place.
    ("resize_batch.cu", r"resize_labels", vectors([8, 64], [8], 128)),
    ("resize_batch.cu", r"resize_normalize", vectors([8, 64], [32], 128)),

    # rope.cu: 16-byte pieces.
    ("rope.cu", r"rotate<\w+, \d+>", vectors([128], [128], loads_first=6)),

    # rope_tables.cu: an angle a thread.
    ("rope_tables.cu", r"rope_tables", vectors([32], [32], local=True)),

    # tokens.cu: 4 neighbours each; a position is read once for 4 images.
    ("tokens.cu", r"assemble<4>", vectors([128], [128], loads_first=5)),
    ("tokens.cu", r"assemble<1>", elements(32)),

    # dropout.cu: an element a thread, and where the draws begin.
    ("dropout.cu", r"dropout<bfloat16>", vectors([16, 64], [16])),
    ("dropout.cu", r"dropout<float>", vectors([32, 64], [32])),
    # scale_channels.cu: 4 elements a thread, and their factors one by one.
    ("scale_channels.cu", r"scale_channels<4>", vectors([32, 128], [128])),
    ("scale_channels.cu", r"scale_channels<1>", vectors([32], [32])),
    # dora.cu: four columns a thread, or one; what belongs to columns is float32, sums of blocks are doubles.
    *[("dora.cu", rf"{kernel}<{x}, {y}, {n}>", vectors({32 * n, WIDTHS[x] * n, WIDTHS[y] * n}, {stored or WIDTHS[y] * n}))
      for kernel, stored in (("scale_columns", None), ("sum_products", 64)) for x in WIDTHS for y in WIDTHS for n in (1, 4)],
    ("dora.cu", r"dora_factors", vectors([32], [32])),
    ("dora.cu", r"divide_sums", vectors([32, 64], [32])),
    # normalize_rows.cu: an element a lane.
    ("normalize_rows.cu", r"normalize_rows", vectors([32], [32])),
    # hard_pixels.cu: single elements, as upsample_loss.cu.
    ("hard_pixels.cu", r"confidence_kernel<\d+, \d+>", vectors([8, 32], [32], 128)),
    ("hard_pixels.cu", r"count_kernel", vectors([32], [32], 256)),
    ("hard_pixels.cu", r"choose_kernel", vectors([32, 64], [64], 1024)),
    ("hard_pixels.cu", r"mark_kernel", vectors([8, 32], [8], 256)),

    # lovasz.cu: single elements, or a pair; 64 bits are also a class's size, or a block's loss.
    ("lovasz.cu", r"label_kernel", vectors([8], [32], 256)),
    ("lovasz.cu", r"size_kernel", vectors([32], [64], 256)),
    ("lovasz.cu", r"softmax_kernel<\d+, \d+>", vectors([32], [32], 128)),
    ("lovasz.cu", r"error_kernel", vectors([8, 32, 64], [32, 64], 256)),
    ("lovasz.cu", r"own_kernel", vectors([64], [32], 256)),
    ("lovasz.cu", r"rank_kernel", vectors([32, 64], [32, 64], 256)),
    ("lovasz.cu", r"slope_kernel", vectors([32, 64], [32], 256)),
    ("lovasz.cu", r"gather_kernel", vectors([32, 64], [32], 128)),
    ("lovasz.cu", r"loss_kernel", vectors([64], [32], 256)),
    # sort_pairs.cuh: all eight pairs of a lane are under way before the first is written.
    ("lovasz.cu", r"sort_(count|scan)_kernel", vectors([32, 64], [32], 256)),
    ("lovasz.cu", r"sort_scatter_kernel", vectors([32, 64], [64], 256, loads_first=8)),

    # dice.cu: single elements, as upsample_loss.cu.
    ("dice.cu", r"sums_kernel<\d+, \d+>", vectors([8, 32], [32], 128)),
    ("dice.cu", r"class_kernel", vectors([32], [64], 128)),
    ("dice.cu", r"finish_kernel", vectors([32, 64], [32], 256)),

    # upsample_loss.cu: classes are odd in number, so that single elements are read; a lane has 2 to 10 of them at each of four
    # corners.
    *[("upsample_loss.cu", rf"loss_kernel<\d+, {slots}, \w+, \w+>",
       Claim(loads={8, 32}, threads=64, blocks=6 if slots <= 8 else 4, loads_first=4 * slots)) for slots in (2, 4, 6, 8, 10)],
    ("upsample_loss.cu", r"logits_kernel", vectors([32], [32], 128)),
    ("upsample_loss.cu", r"combine_kernel", vectors([32, 64], [32])),
    ("(upsample_loss|views).cu", r"loss_finish_kernel", vectors([32, 64], [64], 1024)),

    # views.cu: four neighbours of one pixel, or one.
    ("views.cu", r"window_kernel<4>", vectors([32, 128], [128])),
    ("views.cu", r"window_kernel<1>", elements(32)),
    ("views.cu", r"probability_kernel<\d+, \d+>", vectors([32], [32], 128)),
    # 32: a pixel's confidence, where it is wanted.
    ("views.cu", r"argmax_kernel<\d+, \d+>", vectors([8, 32], [8, 32, 64], 128)),
]
