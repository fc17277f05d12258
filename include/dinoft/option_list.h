/* Every option, once: config.h makes the enumeration and struct df_config of this list, options.c the table.
 * It has no include guard, since whoever includes it defines
 *
 *     OPTION(KIND, ID, FIELD, GROUP, COMMANDS, HELP, …)
 *
 * The flag and its field share a name. Behind the help text, by KIND:
 *     SWITCH                                  bool
 *     STRING   METAVAR, INITIAL               const char *
 *     CHOICE   TYPE, LIST, INITIAL            enum TYPE, of the list (dinoft/choice.h)
 *     INTEGER  INITIAL, LEAST, MOST           int64_t
 *     FLOAT    INITIAL, ABOVE                 double
 *     PAIR     METAVAR, INITIAL, LEAST, MOST  int64_t [2]
 *     RANGE    METAVAR, INITIAL, ABOVE, MOST  double [2], the smaller first
 * and then whatever else a row of the table says (struct df_option_info). INITIAL is the default as it would
 * be typed. */

OPTION(
    STRING, EXP_NAME, exp_name, OUTPUT, TRAIN | CORRUPT,
    "names the run's files: NAME.pt, NAME_metrics.json, NAME_steps.csv, ...; where none is typed, lora in "
    "the reference recipes, else DATASET_SIZE_DECODER, such as voc_small_linear, with _2, _3, ... behind it "
    "where a run has that name; sweep: how the names of its runs begin, run where none is typed; corrupt: "
    "NAME_corruptions.json, ..., and the checkpoint's name where none "
    "is typed",
    "NAME", NULL, .of_one_run = true)
OPTION(
    STRING, CONFIG, config, RUN, TRAIN,
    "take the settings of an earlier run from its NAME_config.json; flags that are typed win; --exp_name and "
    "--output_dir are not taken",
    "FILE", NULL, .of_one_run = true)
OPTION(SWITCH, DRY_RUN, dry_run, OUTPUT, SWEEP, "print the command lines of the runs, and begin none of them",
       .of_one_run = true)
OPTION(
    SWITCH, PRINT_CONFIG, print_config, OUTPUT, ONE_RUN,
    "print the settings that the run would have, as --config reads them, and end; neither images nor "
    "weights are read: what only they or the machine can tell stays auto or null (as the file of --weights "
    "and the run's name) or is not there (what the checkpoint of --lora_weights says; the size of LoRA's "
    "batches and their learning rate, which go by the number of images), and --img_dim is not "
    "lowered yet",
    .of_one_run = true)
OPTION(
    SWITCH, OVERWRITE, overwrite, OUTPUT, ONE_RUN | EVAL | TAKES_IMAGES,
    "replace files that are there, which is refused otherwise; train: those of an earlier run of this name",
    .of_one_run = true)
OPTION(CHOICE, DATASET, dataset, DATA, SETS,
       "Pascal VOC 2012 (21 classes), ADE20K (150), or your own images and masks, in one of the layouts; "
       "where none is typed, eval and corrupt take the one that the checkpoint was trained on",
       df_dataset_kind, DF_DATASET_KINDS, "ade20k")
OPTION(CHOICE, SIZE, size, MODEL, NETWORK | BENCH | SELFTEST | INFO,
       "the backbone's size; with --dino_type it names the weight file where --weights is not given (giant: "
       "dinov2 only; small+, large+, huge+, 7b: dinov3 only; huge is huge+)",
       df_backbone_size, DF_BACKBONE_SIZES, "large")
OPTION(CHOICE, DINO_TYPE, dino_type, MODEL, NETWORK | LOOK | BENCH | SELFTEST | INFO, "the backbone's family",
       df_family, DF_FAMILIES, "dinov3")
OPTION(SWITCH, USE_LORA, use_lora, MODEL, TRAIN | BENCH | INFO,
       "train low-rank adapters of q and v in every block, beside the decoder; where it is not typed, if the "
       "checkpoint of --lora_weights has them",
       .from_checkpoint = STORED)
OPTION(INTEGER, R, r, MODEL, TRAIN | BENCH | INFO, "the rank of LoRA; that of --lora_weights if it has some",
       "3", 1, 1024, .from_checkpoint = STORED)
OPTION(STRING, LORA_TARGETS, lora_targets, MODEL, TRAIN | BENCH | INFO,
       "the linear layers that LoRA is in: q, k, v, proj, fc1, fc2; of SwiGLU w1, w2, w3 instead of the last "
       "two; as in --lora_weights if that has LoRA",
       "LIST", "q,v", .from_checkpoint = STORED)
OPTION(STRING, LORA_BLOCKS, lora_blocks, MODEL, TRAIN | BENCH | INFO,
       "the blocks that LoRA is in: all, last:N, or their numbers from 0 on (8,9,10,11); nothing before the "
       "first of them is kept for gradients; as in --lora_weights if that has LoRA",
       "LIST", "all", .from_checkpoint = STORED)
OPTION(FLOAT, LORA_ALPHA, lora_alpha, MODEL, TRAIN | BENCH | INFO,
       "LoRA adds A / r times what its matrices give, for an alpha A; 0: r itself, so once; where it is not "
       "typed, as in --lora_weights",
       "0", 0, .float_minimum_itself = true, .from_checkpoint = STORED)
OPTION(SWITCH, RSLORA, rslora, MODEL, TRAIN | BENCH | INFO,
       "rank-stabilised LoRA: alpha is divided by the square root of the rank instead",
       .from_checkpoint = STORED)
OPTION(
    SWITCH, DORA, dora, MODEL, TRAIN | BENCH | INFO,
    "DoRA: where LoRA is, train the lengths of the weight's rows as well; as in --lora_weights if that has "
    "LoRA",
    .from_checkpoint = STORED)
OPTION(SWITCH, MERGE_LORA, merge_lora, MODEL, TRAIN | INFO,
       "freeze the backbone with the LoRA of --lora_weights in it, and train the decoder alone; NAME.pt has "
       "that LoRA too")
OPTION(CHOICE, DECODER, decoder, MODEL, TRAIN | BENCH | INFO,
       "linear: a 1x1 convolution over the last block; multi: the same over four blocks, concatenated; mlp: "
       "four "
       "blocks projected to 256 channels and added up, a 3x3 and a 1x1 convolution; fpn: the reference "
       "project's "
       "feature pyramid over the last four; where none is typed, that of --lora_weights",
       df_decoder_choice, DF_DECODERS, "linear", .from_checkpoint = STORED)
OPTION(CHOICE, DECODER_LAYERS, decoder_layers, MODEL, TRAIN | BENCH | INFO,
       "the blocks that --decoder multi and mlp read: the last four, or four evenly spaced in depth, the "
       "last of "
       "each quarter",
       df_layers, DF_LAYERS, "last", .from_checkpoint = STORED)
OPTION(CHOICE, HEAD_NORM, head_norm, MODEL, TRAIN | BENCH | INFO,
       "bn: BatchNorm before the convolution of --decoder linear and multi, which then begins as N(0, 0.01)",
       df_head_norm, DF_HEAD_NORMS, "bn", .from_checkpoint = STORED)
OPTION(FLOAT, HEAD_DROPOUT, head_dropout, MODEL, TRAIN | BENCH | INFO,
       "Dropout2d in front of that in training: the probability that a channel of an image is zeroed; 0: off",
       "0", 0, .float_minimum_itself = true, .float_below = 1, .from_checkpoint = STORED)
OPTION(SWITCH, USE_FPN, use_fpn, MODEL, TRAIN | BENCH | INFO,
       "--decoder fpn, as the reference project says it; --no_use_fpn: the decoder is not fpn",
       .from_checkpoint = STORED)
OPTION(PAIR, IMG_DIM, img_dim, MODEL, NETWORK | LOOK | BENCH | SELFTEST | INFO,
       "the size that images are resized to, lowered to a multiple of the patch size; without it, the "
       "checkpoint's if it records one",
       "H W", "490,490", 1, 32768)
OPTION(
    STRING, LORA_WEIGHTS, lora_weights, MODEL, NETWORK,
    "a checkpoint of LoRA and decoder: train goes on from it, with a new decoder if it is for other classes; "
    "the others use it, eval --prototypes its LoRA alone",
    "FILE", NULL, .required = CORRUPT | PREDICT)
OPTION(
    SWITCH, PROTOTYPES, prototypes, MODEL, EVAL,
    "measure a decoder that nobody trained, with or without a checkpoint: a patch's class is that whose mean "
    "feature in the training images has the largest cosine similarity with the patch's")
OPTION(SWITCH, ALLOW_OTHER_BACKBONE, allow_other_backbone, MODEL, NETWORK,
       "use the checkpoint of --lora_weights although it was trained on another backbone")
OPTION(INTEGER, EPOCHS, epochs, RUN, TRAIN, "how often the training images are gone through", "20", 1,
       INT32_MAX)
OPTION(
    FLOAT, LR, lr, RUN, TRAIN,
    "AdamW's learning rate, the highest of --schedule; where it is not typed, the default recipe multiplies "
    "it by the square root of --batch_size / 12",
    "2e-3", 0)
OPTION(CHOICE, SCHEDULE, schedule, RUN, TRAIN,
       "how the learning rate changes from step to step of the run, or from epoch to epoch in the reference "
       "recipes: cosine and poly (power 0.9) fall from --lr to --min_lr; onecycle rises from a 25th of --lr "
       "for 30 % of the run and falls to nearly nothing",
       df_schedule_kind, DF_SCHEDULES, "poly")
OPTION(INTEGER, WARMUP_EPOCHS, warmup_epochs, RUN, TRAIN,
       "epochs at the beginning over which the learning rate rises to --lr linearly; not with onecycle", "0",
       0, INT32_MAX)
OPTION(
    STRING, WARMUP_STEPS, warmup_steps, RUN, TRAIN,
    "the same as a number of steps or, such as 5%, as a percentage of the run's; not with --warmup_epochs, "
    "onecycle or a reference recipe",
    "N|P%", "5%")
OPTION(FLOAT, MIN_LR, min_lr, RUN, TRAIN, "the learning rate that cosine and poly fall to", "0", 0,
       .float_minimum_itself = true)
OPTION(FLOAT, LR_HEAD, lr_head, RUN, TRAIN,
       "a factor of --lr for the decoder; where it is not typed, 10 for --decoder linear without "
       "--use_lora, 1 for mlp and fpn",
       "5", 0)
OPTION(FLOAT, LR_LORA, lr_lora, RUN, TRAIN, "a factor of --lr for LoRA", "1", 0)
OPTION(FLOAT, LORA_PLUS, lora_plus, RUN, TRAIN,
       "LoRA+: B's learning rate is that of LoRA times this factor, such as 16; 1: the same", "1", 0)
OPTION(FLOAT, LORA_DROPOUT, lora_dropout, RUN, TRAIN | BENCH,
       "the probability with which an element of what LoRA's A reads is 0 in a training step; 0: off", "0", 0,
       .float_minimum_itself = true, .float_below = 1)
OPTION(FLOAT, WEIGHT_DECAY, weight_decay, RUN, TRAIN, "AdamW's decoupled weight decay", "0.01", 0,
       .float_minimum_itself = true)
OPTION(SWITCH, DECAY_1D, decay_1d, RUN, TRAIN,
       "weight decay for tensors of one dimension too: biases, the weights of BatchNorm and DoRA's m")
OPTION(FLOAT, GRAD_CLIP, grad_clip, RUN, TRAIN | BENCH | INFO,
       "scale the gradients down where the norm of all of them together is larger; 0: off", "0", 0,
       .float_minimum_itself = true)
OPTION(FLOAT, EMA, ema, RUN, TRAIN | BENCH | INFO,
       "evaluate and save the exponential moving average of what is trained, with this decay, such as 0.999; "
       "0: off",
       "0", 0, .float_minimum_itself = true, .float_below = 1)
OPTION(CHOICE, LOSS, loss, RUN, TRAIN | BENCH | INFO,
       "what is minimised: cross-entropy; the focal loss, in which a pixel counts the less the surer its "
       "label is "
       "predicted; cross-entropy of the pixels that are predicted worst (online hard example mining); or the "
       "Dice "
       "or Lovasz loss, in which all classes of a batch count the same, alone or added to cross-entropy",
       df_loss_kind, DF_LOSSES, "ce")
OPTION(FLOAT, OHEM_THRESHOLD, ohem_threshold, RUN, TRAIN | BENCH | INFO,
       "of --loss ohem: pixels count whose label is predicted with a probability below this", "0.7", 0,
       .float_minimum_itself = true, .float_most = 1)
OPTION(INTEGER, OHEM_MIN_KEPT, ohem_min_kept, RUN, TRAIN | BENCH | INFO,
       "of --loss ohem: the number of pixels for each image of the batch that count at least, the worst ones",
       "100000", 1, INT32_MAX)
OPTION(FLOAT, FOCAL_GAMMA, focal_gamma, RUN, TRAIN | BENCH | INFO,
       "of --loss focal: the power of 1 - p that a pixel's loss is multiplied by, where p is its label's "
       "probability",
       "2", 0, .float_minimum_itself = true)
OPTION(FLOAT, REGION_FACTOR, region_factor, RUN, TRAIN | BENCH | INFO,
       "of --loss ce+dice and ce+lovasz: what the second part is multiplied by", "1", 0)
OPTION(STRING, CLASS_WEIGHTS, class_weights, RUN, TRAIN,
       "how much pixels of each class weigh in the training loss: the same with none; with auto 1 / ln(1.02 "
       "+ S) "
       "and with sqrt 1 / sqrt(S), where S is the class's share of the training masks' labelled pixels; or a "
       "file with a weight a line, that of class 0 first; or NAME=W,... where classes that are not named "
       "weigh 1",
       "WEIGHTS", "none")
OPTION(FLOAT, LABEL_SMOOTHING, label_smoothing, RUN, TRAIN | BENCH | INFO,
       "of the training loss, take this share from each pixel's label and spread it over all classes, as "
       "PyTorch's cross_entropy does",
       "0", 0, .float_minimum_itself = true, .float_below = 1)
OPTION(
    INTEGER, BATCH_SIZE, batch_size, RUN, TRAIN | MEASURE | PREDICT | BENCH | SELFTEST | INFO,
    "images in a batch; "
    "train: where it is not typed, 8, 6 or 4 with LoRA in runs that would have less than 1000 steps, unless "
    "--accumulate or --max_steps is typed",
    "12", 1, 65536)
OPTION(INTEGER, ACCUMULATE, accumulate, RUN, TRAIN | BENCH | INFO,
       "take each training batch in N equal parts and add up their gradients: the same step to rounding with "
       "an Nth of the memory, but for BatchNorm's statistics, which are a part's",
       "1", 1, 65536)
OPTION(SWITCH, DEBUG, debug, OUTPUT, TRAIN,
       "at each validation write NAME_viz_EPOCH.png: validation images beside their labels and predictions; "
       "in the reference recipes main.py's own picture, an image of the batch under its prediction; with "
       "--augment also NAME_augmented.png, training images as the model gets them beside their labels")
OPTION(STRING, WEIGHTS, weights, MODEL, NETWORK | BENCH,
       "the backbone: a .safetensors, .pth or .onnx file, or the name of one in " WEIGHT_FOLDERS ", with "
       "or without that ending; otherwise the checkpoint's record, or --dino_type and --size, name it",
       "FILE", NULL)
OPTION(
    STRING, DATA_ROOT, data_root, DATA, SETS | DEMO_DATA,
    "the folder that holds the data set (VOCdevkit/, ADEChallengeData2016/, or images/ and masks/), a .zip "
    "or .tar archive of it, or shards of WebDataset's, such as 'shards/{split}-{0000..0127}.tar'; "
    "demo-data writes there",
    "PATH", "./data")
OPTION(
    INTEGER, N_CLASSES, n_classes, DATA, SETS | SELFTEST | INFO,
    "the number of classes of --dataset folder, 2 to 255 (eval: the checkpoint's; bench, selftest, info: 21)",
    "0", 2, 255)
OPTION(
    STRING, CLASS_NAMES, class_names, DATA, SETS,
    "the names of the classes of --dataset folder: one a line, or in JSON, with colours if it has some; or "
    "voc, ade20k, cityscapes or camvid for theirs",
    "FILE", NULL)
OPTION(
    STRING, PALETTE, palette, DATA, SETS,
    "the masks of --dataset folder are pictures with a colour for each class: a file with lines 'R G B name' "
    "or '#RRGGBB name', CamVid's or CVAT's, or voc, cityscapes or camvid for theirs; classes called void, "
    "ignore or unlabeled, or with (ignore) behind their names, are ignored",
    "FILE", NULL)
OPTION(
    STRING, ANNOTATIONS, annotations, DATA, SETS,
    "draw the masks of --dataset folder from polygons and runs: COCO's JSON (instances or panoptic), CVAT's "
    "XML, or a folder of labelme's JSON or YOLO's text; {split} in it stands for train and val; not given: "
    "what is found where there is no folder of masks",
    "FILE", NULL)
OPTION(
    STRING, MASK_VALUES, mask_values, DATA, SETS,
    "the pixel values in the masks of --dataset folder that are class 0, class 1, and so on: 0,255 if the "
    "second class is 255, 1..19 for 19 classes from 1 on, 0+3,1 where two values are one class; cityscapes: "
    "the 19 classes of its labelIds; not given: 0,1,2, ... (eval, corrupt and train from a checkpoint: the "
    "checkpoint's)",
    "LIST", NULL)
OPTION(STRING, IGNORE_VALUE, ignore_value, DATA, SETS,
       "the pixel values in the masks of --dataset folder that are ignored, a list as of --mask_values, or "
       "none; not given: 255, unless --mask_values lists it",
       "LIST", NULL)
OPTION(
    STRING, MERGE_CLASSES, merge_classes, DATA, SETS,
    "classes that become one, and its name: car+truck+bus=vehicle,3+4=plant; classes are called by name or "
    "by number as they are without this flag; they are numbered anew, in the order of their first members",
    "LIST", NULL)
OPTION(STRING, IGNORE_CLASSES, ignore_classes, DATA, SETS,
       "classes whose pixels are ignored, by name or number: sky,tree; the others are numbered anew", "LIST",
       NULL)
OPTION(
    STRING, IMAGE_RANGE, image_range, DATA, NETWORK | LOOK | IMAGES | BENCH,
    "the values in image files that become black and white, those between them in proportion, those beyond "
    "them as their ends, and NaN black; auto: the smallest and the largest finite value of each file, so "
    "that files are no longer comparable; not given: 0 and 255, or the high byte of 16 bits, and floats are "
    "an error (with a checkpoint: the checkpoint's)",
    "MIN,MAX|auto", NULL)
OPTION(STRING, BANDS, bands, DATA, NETWORK | LOOK | IMAGES | BENCH,
       "the bands of image files that are read as red, green and blue, or the one that is read as grey, "
       "numbered from 1 on; of a TIFF its own, of others 1 to 3; needed where a TIFF has neither 1 nor 3 "
       "bands beside alpha (with a checkpoint: the checkpoint's)",
       "LIST", NULL)
OPTION(INTEGER, SHOTS, shots, DATA, TRAIN | EVAL,
       "few images: take, by --seed, so many of the training images that N show each class, or all that do "
       "where there are fewer; an image shows a class if its mask has a pixel of it; eval: with "
       "--prototypes",
       "0", 1, INT64_MAX)
OPTION(
    CHOICE, LAYOUT, layout, DATA, SETS,
    "how the images and masks of --dataset folder lie in --data_root, where more than one layout fits: "
    "images/{train,val} + masks/{train,val}, images + masks, Cityscapes, nnU-Net's imagesTr + labelsTr, or "
    "WebDataset's KEY.jpg + KEY.png in .tar files",
    df_layout_choice, DF_LAYOUTS, "auto")
OPTION(STRING, IMAGES, images, DATA, SETS,
       "the images of --dataset folder by a pattern in quotes, such as 'data/**/*.jpg', from the current "
       "folder on: * and ? stand for text within a name, ** for any folders or none, {split} for train, val "
       "or another split; with --masks, instead of --data_root",
       "PATTERN", NULL)
OPTION(STRING, MASKS, masks, DATA, SETS,
       "the masks of --images, such as 'data/**/{name}_mask.png': {name} is the image's name without its "
       "ending, or what {name} is in --images; of masks of equal names, the one that is in the same folders",
       "PATTERN", NULL)
OPTION(STRING, PAIRS, pairs, DATA, SETS,
       "the images and masks of --dataset folder in a CSV file, instead of --data_root: a header with the "
       "columns image, mask and, if the file divides them, split (train or val); paths count from the file's "
       "folder",
       "FILE", NULL)
OPTION(
    STRING, FOLD, fold, DATA, SETS,
    "which fold of nnU-Net's splits_final.json validates, from 0 on, or all: all cases train and validate; "
    "not given: 0 (eval, corrupt and train from a checkpoint: the checkpoint's)",
    "N", NULL)
OPTION(FLOAT, VAL_FRACTION, val_fraction, DATA, SETS,
       "draw this part of the images for validation, one at least, where nothing else divides the images of "
       "--dataset folder; 1: all of them (eval, corrupt and train from a checkpoint: the checkpoint's)",
       "0", 0, .float_most = 1)
OPTION(INTEGER, SPLIT_SEED, split_seed, DATA, SETS,
       "of --val_fraction: the same seed draws the same images, whatever --seed is", "0", 0, INT64_MAX)
OPTION(STRING, TRAIN_LIST, train_list, DATA, TRAIN | EVAL | LOOK | BENCH,
       "the list of the training images; --dataset voc: one in ImageSets/Segmentation by its name, such as "
       "trainaug, or a file; a line is the name of an image, whose mask may be in SegmentationClassAug too, "
       "or an image and its mask, as paths below VOC2012; --dataset folder, where nothing else divides the "
       "images: a file; a line is the name of an image, with or without its ending",
       "FILE", "train")
OPTION(STRING, VAL_LIST, val_list, DATA, SETS, "the same of the validation images", "FILE", "val")
OPTION(STRING, SPLIT, split, DATA, EVAL,
       "the images that are measured: val, train, or another part by its name: a list of voc such as "
       "trainval, a folder beside train and val such as test, or a word in the column split of --pairs",
       "NAME", "val")
OPTION(SWITCH, VOID_AS_BACKGROUND, void_as_background, DATA, TRAIN | MEASURE | LOOK,
       "count VOC's void border as background, instead of ignoring it")
OPTION(
    STRING, NORMALIZE, normalize, MODEL, NETWORK,
    "the mean and the standard deviation of the colours, in values from 0 to 1: ImageNet's, those of DINOv3 "
    "for satellite images, or six numbers; auto: as the checkpoint records, none for a checkpoint without a "
    "record, and for a new model what its weights are known to want, else the recipe's choice",
    "auto|imagenet|sat493m|none|M,M,M:S,S,S", "auto")
OPTION(
    CHOICE, POS_INTERPOLATION, pos_interpolation, MODEL, NETWORK,
    "whose code places a backbone's table of positions on another grid, where results differ: official: that "
    "of the model's authors; huggingface, timm: for models that were trained or exported with these "
    "libraries; as in --lora_weights if that records it",
    df_pos_interpolation, DF_POS_INTERPOLATIONS, "official")
OPTION(
    CHOICE, RECIPE, recipe, RUN, TRAIN | MEASURE,
    "default: what these pages say; reference repeats dinov2-finetune's main.py of October 2025, "
    "reference-2025-08 that of August 2025; both set --void_as_background and in training --rope_rescale 2, "
    "--decay_1d, --head_norm none, --lr_head 1, --augment none, no --warmup_steps and, for a new model, "
    "--normalize none; reference also --batch_size 64 and in training --epochs 100, --lr 3e-3, --schedule "
    "cosine, --warmup_epochs 20, --min_lr 3e-5, --keep_checkpoints all; reference-2025-08 --lr 3e-4 and "
    "--schedule constant; flags that are typed win",
    df_recipe, DF_RECIPES, "default")
OPTION(SWITCH, RECOMPUTE, recompute, RUN, TRAIN | BENCH | INFO,
       "with --use_lora: keep no more than the input of each block for the backward pass and compute the "
       "rest again there; less memory, more time, the same gradients")
OPTION(FLOAT, ROPE_RESCALE, rope_rescale, RUN, TRAIN | INFO,
       "while training DINOv3, scale the position coordinates by a random factor of 1/F to F; 1: off", "1", 1,
       .float_minimum_itself = true)
OPTION(CHOICE, CACHE_FEATURES, cache_features, RUN, TRAIN,
       "without LoRA, run the backbone once over each image and keep what it finds, in memory or in "
       "NAME_features.cache, which later runs use again; auto: where it saves work and takes at most half of "
       "the memory left, or else of the disk",
       df_feature_place, DF_FEATURE_PLACES, "auto")
OPTION(
    STRING, LOG_DIR, log_dir, OUTPUT, TRAIN,
    "the folder of TensorBoard's event files: NAME_tb in --output_dir where none is typed; none: write none",
    "DIR", NULL, .of_one_run = true)
OPTION(STRING, OUTPUT_DIR, output_dir, OUTPUT, TRAIN | CORRUPT | IMAGES | PREDICT | PCA,
       "the folder that is written to", "DIR", "output", .of_one_run = true)
OPTION(
    CHOICE, DEVICE, device, MACHINE, NETWORK | BENCH | SELFTEST | INFO,
    "what computes; auto: the GPU if there is one that can be used, otherwise the CPU; cuda:1: the second of "
    "the GPUs that the program may see",
    df_device_choice, DF_DEVICES, "auto")
OPTION(CHOICE, PRECISION, precision, MACHINE, NETWORK | BENCH | SELFTEST | INFO,
       "the type of matrix products and activations; auto: bf16 on a GPU and where the processor has "
       "instructions for it, otherwise fp32; with bf16 and LoRA, scores differ a little from the training's "
       "validation, since LoRA is folded into the backbone's weights before they are rounded, but kept apart "
       "where it is trained",
       df_precision, DF_PRECISIONS, "auto")
OPTION(INTEGER, THREADS, threads, MACHINE, NETWORK | IMAGES | BENCH | SELFTEST,
       "processor cores that compute; 0: all", "0", 0, 4096)
OPTION(INTEGER, SEED, seed, RUN, TRAIN | EVAL | LOOK | CORRUPT | IMAGES | PCA | DEMO_DATA | BENCH | SELFTEST,
       "of everything random: the same seed gives the same result", "0", 0, INT64_MAX)
OPTION(SWITCH, NO_SHUFFLE, no_shuffle, RUN, TRAIN, "take the training images in the list's order")
OPTION(INTEGER, SHUFFLE_BUFFER, shuffle_buffer, RUN, TRAIN | BENCH,
       "of a data set in shards: these are read one behind the other in an order that --seed draws anew in "
       "each epoch, and each image is drawn from the next N of theirs",
       "1000", 1, INT64_MAX)
OPTION(CHOICE, AUGMENT, augment, RUN, TRAIN | LOOK | BENCH,
       "how training images are changed, anew in each epoch: flip mirrors half of them; standard also scales "
       "them with their ratio kept, cuts --img_dim out and changes brightness, contrast, saturation and hue, "
       "as mmsegmentation does; strong also lays a part of another image over half of them (CutMix); where "
       "it is not typed, none with a frozen backbone, the features of which are kept",
       df_augmentation, DF_AUGMENTATIONS, "standard")
OPTION(
    RANGE, AUGMENT_SCALE, augment_scale, RUN, TRAIN | LOOK | BENCH,
    "the factors that --augment standard and strong scale images by; at 1 the shorter side has --img_dim's "
    "smaller number of pixels",
    "MIN MAX", "0.5,2", 0, 16)
OPTION(
    SWITCH, CROP_CLASS_BALANCE, crop_class_balance, RUN, TRAIN | LOOK | BENCH,
    "with --augment standard and strong: cut out around a pixel of a class, each that an image has as often "
    "as the others")
OPTION(
    INTEGER, CACHE_VIEWS, cache_views, RUN, TRAIN,
    "with --augment and a frozen backbone: keep features of N augmented views of each training image, which "
    "epochs show in turn; without N, each epoch computes new ones",
    "0", 1, 100000)
OPTION(INTEGER, NUM_WORKERS, num_workers, MACHINE, SETS | PREDICT | FEATURES | PCA,
       "threads that read and resize images, and write results; 0: one for each core, at most 8", "0", 0, 256)
OPTION(INTEGER, MAX_STEPS, max_steps, RUN, TRAIN, "stop after so many steps; 0: no limit", "0", 0, INT64_MAX)
OPTION(CHOICE, RESUME, resume, RUN, ONE_RUN,
       "go on from NAME.state, with the flags of the run that wrote it, to the same bits as without a stop; "
       "--resume alone is yes; auto: begin where there is none; without --exp_name the newest in "
       "--output_dir that fits",
       df_resume, DF_RESUMES, "no", .bare = "yes", .of_one_run = true)
OPTION(SWITCH, RESTART_SCHEDULE, restart_schedule, RUN, ONE_RUN,
       "with --resume: begin the schedule anew where the run is, over the epochs that are left",
       .of_one_run = true)
OPTION(FLOAT, SAVE_EVERY, save_every, RUN, TRAIN,
       "minutes from one NAME.pt and NAME.state to the next, between those of validations; 0: none", "10", 0,
       .float_minimum_itself = true)
OPTION(INTEGER, VAL_EVERY, val_every, RUN, TRAIN,
       "epochs from one validation and checkpoint to the next; the last epoch always has them", "5", 1,
       INT32_MAX)
OPTION(CHOICE, BEST_METRIC, best_metric, RUN, TRAIN,
       "what says which validation is the best one, whose model is NAME_best.pt: of equal ones the first",
       df_best_metric, DF_BEST_METRICS, "miou")
OPTION(INTEGER, EARLY_STOP, early_stop, RUN, TRAIN,
       "end after so many validations without a better --best_metric; 0: never", "0", 0, INT32_MAX)
OPTION(STRING, KEEP_CHECKPOINTS, keep_checkpoints, OUTPUT, TRAIN,
       "keep NAME_eEPOCH.pt of the newest N validations, or of all, or none, beside NAME.pt and NAME_best.pt",
       "N", "none")
OPTION(CHOICE, EVAL_SIZE, eval_size, OUTPUT, MEASURE,
       "measure at the network's input size, or at each label's original size as papers do", df_eval_size,
       DF_EVAL_SIZES, "network")
OPTION(CHOICE, RESIZE, resize, DATA, SETS | PREDICT | INFO,
       "stretch resizes every image to --img_dim; short keeps its ratio: the shorter side gets --img_dim's "
       "smaller number, the longer one what belongs to it, both in whole patches; train cuts --img_dim out "
       "of it, the middle with --augment none, and validates as eval; none, not for train, leaves images as "
       "large as they are, for --slide; where it is not typed, as in the checkpoint's training",
       df_resize, DF_RESIZES, "stretch")
OPTION(PAIR, SLIDE, slide, RUN, MEASURE | PREDICT,
       "run the model over square windows of CROP pixels, STRIDE apart, and average where they overlap",
       "CROP STRIDE", NULL, 1, 32768)
OPTION(SWITCH, TTA, tta, RUN, MEASURE | PREDICT,
       "test-time augmentation: average the class probabilities over --scales, each as it is and mirrored")
OPTION(STRING, SCALES, scales, RUN, MEASURE | PREDICT,
       "the scales of --tta, of the size that images are resized to", "LIST", "0.5,0.75,1,1.25,1.5,1.75")
OPTION(STRING, METRICS_JSON, metrics_json, OUTPUT, EVAL, "write all metrics to this file too, as JSON",
       "FILE", NULL)
OPTION(STRING, SAVE_MASKS, save_masks, OUTPUT, EVAL,
       "write each prediction as IMAGE.png, the numbers of its classes, at the size that is measured; with "
       "--eval_size original these are the masks of predict",
       "DIR", NULL)
OPTION(INTEGER, BOOTSTRAP, bootstrap, OUTPUT, EVAL,
       "draw so many resamples of the images, by --seed, for the interval that the mIoU of 95 % of them "
       "lies in; 0: none",
       "1000", 0, 1000000)
OPTION(STRING, IMAGES_CSV, images_csv, OUTPUT, EVAL,
       "write each image's scores to this file, the worst first", "FILE", NULL)
OPTION(STRING, CONFUSION_PNG, confusion_png, OUTPUT, EVAL, "draw the confusion matrix into this file", "FILE",
       NULL)
OPTION(
    STRING, REPORT_HTML, report_html, OUTPUT, EVAL | LOOK,
    "write a report with tables and pictures (eval: the confusion matrix, the best and worst images; data: "
    "samples with their masks), all in this file",
    "FILE", NULL)
OPTION(
    SWITCH, SHOW_AUGMENTED, show_augmented, OUTPUT, LOOK,
    "show training samples in --report_html also as training sees them, by --augment, --img_dim and --resize "
    "(train without --use_lora takes --augment none where none is typed)")
OPTION(CHOICE, SUITE, suite, DATA, CORRUPT,
       "imagenet-c: the corruptions of imagecorruptions, one after the other; reference: the ten that "
       "dinov2-finetune draws from, one for each image",
       df_suite, DF_SUITES, "imagenet-c")
OPTION(STRING, CORRUPTIONS, corruptions, DATA, CORRUPT | IMAGES,
       "names, or common for ImageNet-C's standard fifteen, or all; corrupt: all where none are typed",
       "NAMES", NULL, .required = IMAGES)
OPTION(STRING, SEVERITY, severity, DATA, CORRUPT | IMAGES, "1 to 5, or all", "LIST", "all")
OPTION(STRING, FROST_DIR, frost_dir, DATA, CORRUPT | IMAGES,
       "the folder of frost's photographs; otherwise the first folder frost in " WEIGHT_FOLDERS ", where "
       "scripts/get_frost.py puts it",
       "DIR", NULL)
OPTION(SWITCH, RESTART, restart, RUN, CORRUPT,
       "measure everything anew, also what an earlier run has finished")
OPTION(SWITCH, FOREGROUND, foreground, OUTPUT, PCA,
       "show the foreground alone, in colours of its own components: the patches in that half of the first "
       "component's range which images' borders have less of")
OPTION(SWITCH, UPSAMPLE, upsample, OUTPUT, PCA,
       "smooth pictures whose edges follow the image's, instead of square patches; with --clusters, borders "
       "between patches' centres")
OPTION(INTEGER, CLUSTERS, clusters, OUTPUT, PCA,
       "instead of components, N clusters of the patches of all images, found without labels by k-means: "
       "IMAGE_clusters.png has each pixel's cluster, 0 being the largest, in the colours of a palette, and "
       "IMAGE_clusters_overlay.png shows them over the image",
       "0", 2, 255)
OPTION(CHOICE, CLUSTER_BY, cluster_by, OUTPUT, PCA,
       "what makes two patches alike for --clusters: the direction of their features, or the distance "
       "between them",
       df_cluster_by, DF_CLUSTER_BYS, "cosine")
OPTION(PAIR, SIMILAR_TO, similar_to, OUTPUT, PCA,
       "instead of components, the cosine similarity of every patch to that in which this pixel of the first "
       "image lies, the left upper one being 0 0: IMAGE_similar.png, from dark violet to yellow",
       "X Y", NULL, 0, 32767)
OPTION(SWITCH, RECURSIVE, recursive, DATA, TAKES_IMAGES,
       "look into the folders of folders that are named, too; the output has the same folders")
OPTION(SWITCH, SKIP_EXISTING, skip_existing, RUN, PREDICT,
       "leave out the images whose files are all there: goes on where a run was stopped")
OPTION(SWITCH, JSON_LINES, json_lines, RUN, PREDICT,
       "for programs: read names of images from standard input, a line each, until it ends, and answer each "
       "with a line of JSON on standard output, in order and at once")
OPTION(STRING, WRITE, write, OUTPUT, PREDICT,
       "what is written of each image: mask (IMAGE.png, numbers of classes), overlay (IMAGE_overlay.png), "
       "confidence (IMAGE_confidence.png: 255 times the chosen class's probability), probabilities "
       "(IMAGE_probabilities.tif: a band a class, of 16 bits, 65535 being 1); of a TIFF, mask and confidence "
       "are "
       "TIFFs too",
       "LIST", "mask,overlay")
OPTION(FLOAT, THRESHOLD, threshold, OUTPUT, PREDICT,
       "pixels whose class has a probability below this are unknown, 255 in the mask", "0", 0,
       .float_minimum_itself = true, .float_most = 1)
OPTION(STRING, SUMMARY, summary, OUTPUT, PREDICT,
       "write each image's size, mean confidence, and pixels and share of each class to this CSV file",
       "FILE", NULL)
OPTION(SWITCH, SAVE_LOGITS, save_logits, OUTPUT, PREDICT, "write each image's logits too, as .safetensors")
OPTION(FLOAT, OVERLAY_OPACITY, overlay_opacity, OUTPUT, EVAL | LOOK | PREDICT,
       "how much of the classes' colours IMAGE_overlay.png and the pictures of --report_html show, from 0 "
       "(the image alone) to 1; a background and pixels that do not count stay as the image is",
       "0.5", 0, .float_minimum_itself = true, .float_most = 1)
OPTION(SWITCH, OUTLINES, outlines, OUTPUT, PREDICT, "outline the regions in IMAGE_overlay.png")
OPTION(SWITCH, LEGEND, legend, OUTPUT, PREDICT,
       "write legend.png with the classes' numbers, colours and names, and the numbers into the regions of "
       "IMAGE_overlay.png")
OPTION(STRING, VIDEO, video, DATA, PREDICT | FEATURES | PCA,
       "instead of images, the frames of a video, through the program ffmpeg; what is drawn of them becomes "
       "the video --output",
       "FILE", NULL)
OPTION(INTEGER, EVERY, every, DATA, PREDICT | FEATURES | PCA,
       "of --video: compute every Nth frame alone; the video that is written keeps its length, and shows "
       "what was found last over the frames between",
       "1", 1, INT32_MAX)
OPTION(STRING, OUTPUT, output, OUTPUT, PREDICT | FEATURES | PCA | REPORT,
       "the file that is written: features as .safetensors, a report as .html, what is drawn of --video as "
       ".mp4, .mov or .mkv",
       "FILE", NULL, .required = FEATURES | REPORT)
OPTION(INTEGER, LAYERS, layers, OUTPUT, FEATURES,
       "write the outputs of the last N blocks too, each through the final norm", "0", 0, 1024)
OPTION(CHOICE, NAMING, naming, OUTPUT, CONVERT,
       "the names of a backbone's tensors: facebookresearch's or Hugging Face's", df_naming, DF_NAMINGS,
       "official")
OPTION(CHOICE, DTYPE, dtype, OUTPUT, CONVERT, "the type that floating-point tensors are stored in",
       df_stored_type, DF_STORED_TYPES, "keep")
OPTION(INTEGER, TRAIN_IMAGES, train_images, DATA, DEMO_DATA, "how many training images to draw", "48", 1,
       100000)
OPTION(INTEGER, VAL_IMAGES, val_images, DATA, DEMO_DATA, "how many validation images to draw", "12", 1,
       100000)
OPTION(INTEGER, STEPS, steps, RUN, BENCH | SELFTEST,
       "timed steps, after two that warm up; the median counts; selftest: training steps that are compared",
       "10", 1, 100000)
OPTION(SWITCH, MEMORY, memory, OUTPUT, INFO,
       "say too how much memory training and evaluation of the FILE's model would take; without FILE that is "
       "all there is to say")
OPTION(SWITCH, QUIET, quiet, OUTPUT, EVERY,
       "no progress and no information on standard error: only warnings, errors, and on standard output the "
       "results",
       .of_one_run = true)
OPTION(STRING, LOG_FILE, log_file, OUTPUT, EVERY,
       "add what standard error shows, or would without --quiet, to the end of this file too, with date and "
       "time; progress as plain lines",
       "FILE", NULL, .of_one_run = true)
OPTION(STRING, JSON, json, OUTPUT, LOOK | BENCH | INFO,
       "write the figures, or the memory plans, to this file too; docs/measuring.md lists its keys", "FILE",
       NULL)
