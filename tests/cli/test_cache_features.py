"""dinoft train --cache_features: the same results with less work, and a file that is never believed."""

import pathlib
import shutil

from datasets import draw_scene, voc_demo
from png_files import write_png
from support import DINOV2, DINOV3, FIXTURES, contents, file_size_limit, files_in, leftovers, main
from training import CLASSES, TrainingTest

LINEAR = FIXTURES / "dinov3_tiny" / "init_linear.pt"  # 21 classes
CACHE = "run_features.cache"
ONCE = "features are computed once and kept in"
AGAIN = "nothing is computed again"


def place_changes_no_bit():
    """Whether a backbone's result for an image is the same to the last bit wherever in a batch the image is.
    The matrix library's kernels for AVX-512 have that; those for AVX2 add up the last rows in another order."""
    try:
        return " avx512f " in pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


class CacheTest(TrainingTest):
    def train(self, *flags, **options):
        """Three epochs, the last batch of each smaller, each validated."""
        return super().train("--epochs", 3, "--batch_size", 2, "--val_every", 1, *flags, **options)

    def cached(self, place, *flags, **options):
        return self.train("--cache_features", place, *flags, **options)

    def cache_file(self, output="output"):
        return self.folder / output / CACHE

    def assert_same(self, expected, found, *names):
        for name in ("run.pt", "run_metrics.json", *names):
            self.assertEqual(
                (self.folder / expected / name).read_bytes(), (self.folder / found / name).read_bytes(), name
            )


class Equality(CacheTest):
    """With features kept, all that a run leaves is what it leaves without, to the last bit."""

    def check(self, *flags, backbone=DINOV2, names=()):
        off = self.cached("off", *flags, backbone=backbone, output="off")
        self.assertNotIn("features", off.result.stderr)
        for place in ("memory", "file"):
            run = self.cached(place, *flags, backbone=backbone, output=place)
            self.assertIn(ONCE, run.result.stderr)
            self.assertEqual([row["loss"] for row in run.steps], [row["loss"] for row in off.steps])
            self.assert_same("off", place, *names)
        again = self.cached("file", *flags, backbone=backbone, output="file")
        self.assertIn(AGAIN, again.result.stderr)
        self.assert_same("off", "file", *names)

    def test_linear_in_order(self):
        self.check("--no_shuffle")

    def test_fpn_in_order(self):
        self.check("--no_shuffle", "--use_fpn")

    def test_multi_in_order(self):
        recipe = ["--head_norm", "bn", "--head_dropout", 0.1]
        self.check("--no_shuffle", "--decoder", "multi", "--decoder_layers", "even", *recipe)

    def test_mlp_in_order(self):
        self.check("--no_shuffle", "--decoder", "mlp")

    def test_the_ratio_kept(self):
        """Validation images are looked at whole, in sizes of their own, by a backbone that stays."""
        self.check("--no_shuffle", "--resize", "short", "--val_every", 1, "--batch_size", 2)
        self.check("--no_shuffle", "--resize", "short", "--use_fpn", "--debug", "--ema", 0.5, backbone=DINOV3)

    def test_linear_in_order_dinov3(self):
        self.check("--no_shuffle", backbone=DINOV3)

    def test_fpn_in_order_dinov3(self):
        self.check("--no_shuffle", "--use_fpn", backbone=DINOV3)

    def test_debug_pictures(self):
        self.check("--no_shuffle", "--debug", names=[f"run_viz_{epoch}.png" for epoch in range(1, 4)])

    def test_other_normalisation_and_size(self):
        self.check("--no_shuffle", "--normalize", "none", "--img_dim", 84, 70)

    def test_bf16_in_order(self):
        command = self.train_command("--precision", "bf16", "--max_steps", 1, output="probe")
        probe = self.run_here(*command)
        if probe.status != 0:
            self.skipTest(probe.stderr.splitlines()[-1])
        self.check("--no_shuffle", "--precision", "bf16")

    def check_shuffled(self, *flags):
        if place_changes_no_bit():
            self.check("--seed", 5, *flags)
            return
        off = self.cached("off", *flags, output="off")
        kept = self.cached("memory", *flags, output="kept")
        self.assert_values_near(kept.metrics["train_loss"], off.metrics["train_loss"], 1e-4)

    def test_linear_shuffled(self):
        self.check_shuffled()

    def test_fpn_shuffled(self):
        self.check_shuffled("--use_fpn")

    def test_a_batch_of_all_images(self):
        self.check("--no_shuffle", "--batch_size", 64)

    def test_a_run_that_goes_on_from_a_checkpoint(self):
        data = ["--dataset", "voc", "--data_root", voc_demo()]
        flags = ["--no_shuffle", "--lora_weights", LINEAR]
        self.cached("off", *flags, output="off", data=data, backbone=DINOV3)
        self.cached("memory", *flags, output="kept", data=data, backbone=DINOV3)
        self.assert_same("off", "kept")


class Views(CacheTest):
    """Of augmented images: each epoch has one of them, kept or not."""

    AUGMENTED = ["--augment", "standard", "--no_shuffle"]

    def test_kept_and_made_anew(self):
        for flags in (["--cache_views", 2], ["--cache_views", 1, "--use_fpn"], ["--cache_views", 2, "--augment", "flip", "--resize", "short"]):
            with self.subTest(flags):
                self.check_views(*flags)

    def check_views(self, *flags):
        off = self.cached("off", *self.AUGMENTED, *flags, output="off")
        for place, said in (("memory", ONCE), ("file", ONCE), ("file", AGAIN)):
            run = self.cached(place, *self.AUGMENTED, *flags, output=place)
            self.assertIn(said, run.result.stderr)
            self.assert_same("off", place)
        self.assertIn("view", off.record["augmentation"])

    def test_a_view_for_each_epoch_is_no_difference(self):
        off = self.train(*self.AUGMENTED, "--cache_features", "off", output="off")
        kept = self.cached("memory", *self.AUGMENTED, "--cache_views", 3, output="kept")
        self.assertEqual(off.tensors, kept.tensors)
        self.assertNotEqual(off.tensors, self.cached("memory", *self.AUGMENTED, "--cache_views", 2).tensors)

    def test_a_file_of_other_views(self):
        flags = [*self.AUGMENTED, "--cache_views", 2]
        self.cached("file", *flags)
        for other in (["--seed", 3], ["--augment_scale", 1, 2], ["--crop_class_balance"], ["--augment", "flip"]):
            with self.subTest(other):
                self.assertIn("computed anew", self.cached("file", *flags, *other).result.stderr)

    def test_choice(self):
        for views, flags, place in ((2, [], "memory"), (3, [], "off"), (2, ["--max_steps", 6], "off"), (2, ["--max_steps", 7], "memory")):
            with self.subTest((views, flags)):
                run = self.train(*self.AUGMENTED, "--cache_views", views, *flags)
                self.assertEqual(run.config["cache_features"], place)

    def test_refusals(self):
        views = ["--cache_views", 2]
        self.refused(*self.train_command(*views), status=2, mentions=["--cache_views is for --augment"])
        command = self.train_command(*views, *self.AUGMENTED, "--use_lora")
        self.refused(*command, mentions=["--cache_views: features cannot be kept, since LoRA"])


class Choice(CacheTest):
    """What --cache_features auto decides, as the configuration records it."""

    def check(self, expected, *flags, **options):
        run = self.train(*flags, **options)
        self.assertEqual(run.config["cache_features"], expected)
        self.assertEqual(ONCE in run.result.stderr, expected == "memory")
        self.assertFalse(self.cache_file().exists())

    def test_a_frozen_backbone(self):
        self.check("memory")

    def test_lora(self):
        self.check("off", "--use_lora")

    def test_augmentation(self):
        self.check("off", "--augment", "flip")
        stderr = self.train("--augment", "flip", "--overwrite").result.stderr
        self.assertIn("features are computed anew in each epoch, since --augment", stderr)
        self.assertIn("--cache_views", stderr)
        for place in ("memory", "file"):
            command = self.train_command("--augment", "flip", "--cache_features", place, "--overwrite")
            self.refused(*command, mentions=[f"--cache_features {place}", "--augment changes the images in each epoch"])

    def test_a_single_epoch(self):
        self.check("off", "--epochs", 1)

    def test_not_more_than_an_epoch(self):
        self.check("off", "--max_steps", 3)

    def test_a_little_more_than_an_epoch(self):
        self.check("memory", "--max_steps", 4)

    def test_rope_rescaling(self):
        self.check("off", "--rope_rescale", 2, backbone=DINOV3)

    def test_rope_rescaling_of_a_backbone_without_rope(self):
        self.check("memory", "--rope_rescale", 2)

    def test_the_model_has_no_backbone(self):
        """Nor memory for one: the decoder's and the features' remain."""
        sizes = {}
        for place in ("off", "memory"):
            run = self.cached(place, "--img_dim", 490, 490, "--max_steps", 1, output=place)
            line = next(line for line in run.result.stderr.splitlines() if "trained parameters" in line)
            sizes[place] = int(line.split(" MiB")[0].split()[-1])
        self.assertLess(sizes["memory"], 0.3 * sizes["off"])


class Refusals(CacheTest):
    def check(self, flags, *mentions, **options):
        self.refused(*self.train_command(*flags, **options), mentions=mentions)
        self.assertEqual([name for name in files_in(self.folder) if name.startswith("output")], [])

    def test_lora(self):
        for place in ("memory", "file"):
            self.check(["--use_lora", "--cache_features", place], f"--cache_features {place}", "LoRA")

    def test_rope_rescaling(self):
        self.check(["--rope_rescale", 2, "--cache_features", "file"], "--rope_rescale", backbone=DINOV3)

    def test_another_word(self):
        self.refused(
            *self.train_command("--cache_features", "disk"),
            status=2,
            mentions=["--cache_features", "auto, memory, file or off"],
        )

    def test_only_train_takes_it(self):
        self.refused("eval", "--cache_features", "off", status=2, mentions=["--cache_features", "train"])

    def test_a_file_of_the_users(self):
        """What has the name and is no feature file stays."""
        self.cache_file().parent.mkdir()
        self.cache_file().write_text("dear diary\n")
        before = contents(self.folder)
        self.refused(*self.train_command("--cache_features", "file"), mentions=[CACHE, "no feature file"])
        self.assertEqual(contents(self.folder), before)

    def test_a_full_disk(self):
        result = self.refused(
            *self.train_command("--cache_features", "file"),
            mentions=[CACHE, "File too large"],
            preexec_fn=file_size_limit(65536),
        )
        self.assertIn("bytes of features", result)
        self.assertEqual(leftovers(self.folder), [])
        self.assertFalse(self.cache_file().exists())

    def test_a_faulty_image(self):
        (self.data / "images" / "train" / "03.png").write_text("not a picture")
        self.check_nothing_left("file", "images/train/03.png")
        self.check_nothing_left("memory", "images/train/03.png")

    def check_nothing_left(self, place, mention):
        self.refused(*self.train_command("--cache_features", place, "--epochs", 2), mentions=[mention])
        self.assertEqual(leftovers(self.folder), [])
        self.assertFalse(self.cache_file().exists())
        self.assertFalse((self.folder / "output" / "run.pt").exists())


class Files(CacheTest):
    """A file of features is used only while it is right."""

    def run_file(self, *flags, **options):
        return self.cached("file", "--no_shuffle", *flags, **options)

    def check_anew(self, reason, *flags, **options):
        """The next run says why it computes again, and comes to what a run without the file comes to."""
        run = self.run_file(*flags, **options)
        self.assertIn(reason, run.result.stderr)
        self.assertIn(ONCE, run.result.stderr)
        self.assertNotIn(AGAIN, run.result.stderr)
        fresh = self.cached("off", "--no_shuffle", *flags, output="fresh", **options)
        self.assertEqual(run.metrics, fresh.metrics)
        self.assertIn(AGAIN, self.run_file(*flags, **options).result.stderr)
        self.assertEqual(leftovers(self.folder), [])

    def test_other_training_settings_use_it_again(self):
        self.run_file()
        flags = ["--lr", 0.01, "--batch_size", 3, "--epochs", 1, "--seed", 4]
        run = self.cached("file", *flags)
        self.assertIn(AGAIN, run.result.stderr)

    def test_moved_data_use_it_again(self):
        self.run_file()
        shutil.move(self.data, self.folder / "elsewhere")
        self.data = self.folder / "elsewhere"
        self.assertIn(AGAIN, self.run_file().result.stderr)

    def test_another_image(self):
        self.run_file()
        picture, _ = draw_scene("another", 62, 48, CLASSES)
        write_png(self.data / "images" / "train" / "02.png", picture)
        self.check_anew("other images")

    def test_another_mask(self):
        self.run_file()
        _, mask = draw_scene("another", 61, 48, CLASSES)
        write_png(self.data / "masks" / "val" / "01.png", mask)
        self.check_anew("other images")

    def test_another_size(self):
        self.run_file()
        self.check_anew("other settings", "--img_dim", 70, 84)

    def test_another_normalisation(self):
        self.run_file()
        self.check_anew("other settings", "--normalize", "none")

    def test_another_backbone(self):
        self.run_file()
        other = DINOV2._replace(weights=FIXTURES / "dinov2_tiny" / "backbone.pth")
        self.check_anew("another backbone", backbone=other)

    def test_another_decoder(self):
        self.run_file()
        self.check_anew("other settings", "--use_fpn")
        self.check_anew("other settings", "--decoder", "multi", "--decoder_layers", "even")

    def test_a_damaged_file(self):
        self.run_file()
        data = bytearray(self.cache_file().read_bytes())
        data[len(data) // 2] ^= 1
        self.cache_file().write_bytes(data)
        self.check_anew("damaged")

    def test_a_file_that_was_cut(self):
        self.run_file()
        data = self.cache_file().read_bytes()
        self.cache_file().write_bytes(data[:-1])
        self.check_anew(f"has {len(data) - 1} bytes, expected are {len(data)}")

    def test_full_disk_keeps_the_old_file(self):
        self.run_file()
        before = self.cache_file().read_bytes()
        command = self.train_command("--cache_features", "file", "--normalize", "none")
        self.refused(*command, mentions=[CACHE], preexec_fn=file_size_limit(65536))
        self.assertEqual(self.cache_file().read_bytes(), before)


if __name__ == "__main__":
    main()
