"""LoRA in other layers and blocks than main.py's, and other scales: files, going on, refusals."""

import json
import math

from support import DINOV2, img_dim, main
from tensor_files import float_tensor, values, write_safetensors
from training import TrainingTest

BLOCKS = 4
ALL = "q,k,v,proj,fc1,fc2"
COMMON = ["--use_lora", "--r", 2, "--precision", "fp32", "--epochs", 1, *img_dim(56, 56)]


class LoraTest(TrainingTest):
    def checkpoint(self):
        return self.folder / "output" / "run.pt"

    def write(self, tensors, record):
        path = self.folder / "changed.safetensors"
        write_safetensors(path, tensors, {"dinoft": json.dumps(record)} if record else None)
        return path

    def start(self, output="more", checkpoint=None):
        return ["train", *self.folder_flags(), "--weights", DINOV2.weights, "--epochs", 1, "--batch_size", 3, "--precision", "fp32",
                "--lora_weights", checkpoint or self.checkpoint(), "--exp_name", "run", "--output_dir", output]  # fmt: skip

    def go_on(self, *flags, output="more", checkpoint=None):
        return self.read_run(self.succeed(*self.start(output, checkpoint), *flags), output)


class Files(LoraTest):
    def test_what_main_py_reads(self):
        """Blocks that are left out have A of a new model and B = 0; a scale is in B."""
        usual = self.train(*COMMON)
        self.assertEqual([key for key in usual.record if key.startswith("lora_")], [])
        run = self.train(*COMMON, "--lora_blocks", "last:1", "--lora_alpha", 8)
        self.assertNotIn("main.py", run.result.stderr)
        self.assertEqual((run.record["lora_blocks"], run.record["lora_scale"]), (str(BLOCKS - 1), 4))
        self.assertEqual(list(run.tensors), list(usual.tensors))
        fresh = self.train(*COMMON, "--lr", 1e-30).tensors
        for index in range(2 * BLOCKS):
            a, b = f"w_a_{index:03d}", f"w_b_{index:03d}"
            is_trained = index >= 2 * (BLOCKS - 1)
            self.assertEqual(any(run.tensors[b].data), is_trained, index)
            self.assertEqual(run.tensors[a].data != fresh[a].data, is_trained, index)
            self.assertTrue(run.tensors[b].parameter)

    def test_other_layers(self):
        run = self.train(*COMMON, "--lora_targets", ALL, "--lora_blocks", "1,3")
        self.assertIn("LoRA of rank 2 of q,k,v,proj,fc1,fc2 in blocks 1,3,", run.result.stderr)
        self.assertEqual(run.result.stderr.count("warning: main.py of the reference project cannot use"), 1)
        self.assertEqual(run.record["lora_targets"], ALL)
        others = {f"lora_{which}_{block:03d}_{name}" for which in "ab" for block in (1, 3) for name in ("k", "proj", "fc1", "fc2")}
        self.assertEqual({key for key in run.tensors if key.startswith("lora_")}, others)
        self.assertEqual(sum(key.startswith("w_a_") for key in run.tensors), 2 * BLOCKS)
        info = self.succeed("info", self.checkpoint()).stdout
        self.assertIn("rank 2 of q,k,v,proj,fc1,fc2 in blocks 1,3\n", info)

    def test_evaluation_folds_all_of_it(self):
        run = self.train(*COMMON, "--lora_targets", ALL, "--lora_alpha", 16, "--lora_plus", 16, "--lr", 0.01)
        self.succeed("eval", *self.folder_flags(), "--weights", DINOV2.weights, "--lora_weights", self.checkpoint(),
                     "--precision", "fp32", "--batch_size", 3, "--metrics_json", "eval.json")  # fmt: skip
        loss = run.metrics["val_loss"][-1]
        self.assertLess(abs(self.read_json("eval.json")["loss"] - loss), 1e-4 * loss)


class Dora(LoraTest):
    """The lengths of the rows of W + B A, which are trained."""

    def magnitudes(self, tensors):
        return {key: tensor for key, tensor in tensors.items() if key.startswith("lora_m_")}

    def test_files(self):
        run = self.train(*COMMON, "--dora", "--lora_targets", "v,fc2", "--lora_blocks", "1,3")
        self.assertIn("LoRA of rank 2 with DoRA of v,fc2 in blocks 1,3,", run.result.stderr)
        self.assertIn("knows LoRA of q and v alone, without DoRA\n", run.result.stderr)
        self.assertIs(run.record["dora"], True)
        found = self.magnitudes(run.tensors)
        self.assertEqual(set(found), {f"lora_m_{block:03d}_{name}" for block in (1, 3) for name in ("v", "fc2")})
        self.assertTrue(all(tensor.parameter and len(tensor.shape) == 1 for tensor in found.values()))
        self.assertIn("rank 2 with DoRA of v,fc2 in blocks 1,3\n", self.succeed("info", self.checkpoint()).stdout)
        self.assertIn("LoRA of rank 2 with DoRA", self.succeed("info", self.checkpoint(), "--memory").stdout)
        self.assertNotIn("dora", self.train(*COMMON).record)

    def test_first_magnitudes_are_the_weights(self):
        """The first step sees the frozen backbone, whatever the layers; nothing decays them unless asked for."""
        plain = self.train(*COMMON, "--lr", 1e-30)
        run = self.train(*COMMON, "--dora", "--lora_targets", ALL, "--lr", 1e-30)
        self.assertAlmostEqual(plain.metrics["val_loss"][-1], run.metrics["val_loss"][-1], places=6)
        first = self.magnitudes(run.tensors)
        decaying = ["--dora", "--lora_targets", ALL, "--lr", 1e-3, "--lr_lora", 1e-9, "--weight_decay", 100]
        kept = self.magnitudes(self.train(*COMMON, *decaying).tensors)
        decayed = self.magnitudes(self.train(*COMMON, *decaying, "--lr_lora", 1, "--lr", 1e-3, "--decay_1d").tensors)
        for key, tensor in first.items():
            self.assertLess(max(abs(a - b) for a, b in zip(values(tensor), values(kept[key]))), 1e-5, key)
            self.assertLess(sum(values(decayed[key])), 0.9 * sum(values(tensor)), key)

    def test_evaluation_folds_it(self):
        for precision, tolerance in (("fp32", 1e-4), ("bf16", 1e-2)):
            flags = ["--dora", "--lora_targets", ALL, "--lora_alpha", 16, "--lr", 0.01, "--ema", 0.5, "--precision", precision]
            if precision == "bf16" and self.run_here(*self.train_command(*COMMON, *flags, "--max_steps", 1, output="probe")).status != 0:
                continue  # no such products here
            run = self.train(*COMMON, *flags)
            self.succeed("eval", *self.folder_flags(), "--weights", DINOV2.weights, "--lora_weights", self.checkpoint(),
                         "--precision", precision, "--batch_size", 3, "--metrics_json", "eval.json")  # fmt: skip
            loss = run.metrics["val_loss"][-1]
            self.assertLess(abs(self.read_json("eval.json")["loss"] - loss), tolerance * loss)

    def test_going_on_and_merging(self):
        before = self.train(*COMMON, "--dora", "--lora_targets", "q,proj", "--lora_alpha", 6).tensors
        run = self.go_on()
        self.assertIn("its layers q,proj, its DoRA,", run.result.stderr)
        self.assertTrue(run.config["dora"] and run.record["dora"])
        merged = self.go_on("--merge_lora", output="merged")
        self.assertIs(merged.record["dora"], True)
        for key, tensor in self.magnitudes(before).items():
            self.assertNotEqual(tensor.data, run.tensors[key].data, key)
            self.assertEqual(tensor.data, merged.tensors[key].data, key)
        self.refused(*self.start("other"), "--no_dora", mentions=["holds LoRA with DoRA, --no_dora says otherwise"])
        self.train(*COMMON)
        self.refused(*self.start("other"), "--dora", mentions=["holds LoRA without DoRA, --dora says otherwise"])

    def test_not_resumed_as_another(self):
        self.train(*COMMON, "--dora")
        for flags, words in (([], "--r was 2 with DoRA and is 2"), (["--dora", "--lora_targets", "q"], "--lora_targets was q,v and is q")):
            command = [flag for flag in self.train_command(*COMMON, *flags, "--epochs", 2, "--resume") if flag != "--overwrite"]
            self.refused(*command, mentions=[words])

    def test_damaged_files(self):
        run = self.train(*COMMON, "--dora", "--lora_targets", "q,v,fc1", "--lora_blocks", "1,2")
        tensors, record = run.tensors, run.record
        key = "lora_m_001_fc1"
        length, = tensors[key].shape

        def without(*keys):
            return {name: tensor for name, tensor in tensors.items() if name not in keys}

        cases = [
            (without(key), record, f"{key} is missing"),
            (without("lora_m_002_q"), record, "lora_m_002_q is missing"),
            (without(*self.magnitudes(tensors)), record, "tells of LoRA with DoRA, the tensors of LoRA without it"),
            (tensors, record | {"dora": False}, "tells of LoRA without DoRA, the tensors of LoRA with it"),
            (tensors, record | {"dora": 1}, "dora"),
            (tensors | {"lora_m_003_fc1": tensors[key]}, record, "lora_m_003_fc1 names no layer that has LoRA"),
            (tensors | {"lora_m_001_k": tensors["lora_m_001_q"]}, record, "lora_m_001_k names no layer that has LoRA"),
            (tensors | {"lora_m_1_fc1": tensors[key]}, record, "lora_m_1_fc1 names no layer that has LoRA"),
            (tensors | {key: tensors["lora_m_001_q"]}, record, f"{key} is [128], expected [{length}]"),
            (tensors | {key: float_tensor((length, 1), values(tensors[key]))}, record, f"{key} is [{length}, 1], expected [{length}]"),
        ]
        for contents, said, words in cases:
            with self.subTest(words):
                self.refused("info", self.write(contents, said), mentions=[words])
        damaged = self.write(tensors | {key: float_tensor((length,), [math.nan] * length)}, record)
        image = self.data / "images" / "val" / "00.png"
        for command in (["features", "--output", "f.safetensors"], ["predict", "--output_dir", "predictions"]):
            self.refused(*command, image, "--weights", DINOV2.weights, "--lora_weights", damaged, mentions=[key])
        self.refused(*self.start(checkpoint=damaged), mentions=[key])


class GoingOn(LoraTest):
    def test_everything_is_the_checkpoints(self):
        self.train(*COMMON, "--lora_targets", "k,fc2", "--lora_blocks", "2", "--lora_alpha", 6)
        run = self.go_on()
        self.assertIn("its alpha 6, its layers k,fc2, its blocks 2,", run.result.stderr)
        self.assertEqual((run.config["lora_targets"], run.config["lora_blocks"], run.config["lora_alpha"]), ("k,fc2", "2", 6))
        self.assertEqual((run.record["lora_targets"], run.record["lora_blocks"], run.record["lora_scale"]), ("k,fc2", "2", 3))
        self.assertIn("LoRA's scale 1 (it was 3)", self.go_on("--lora_alpha", 2, output="other").result.stderr)
        self.assertNotIn("lora_scale", self.go_on("--lora_alpha", 0, output="once").record)
        self.succeed("train", "--config", "once/run_config.json", "--exp_name", "run", "--output_dir", "again")
        self.assertNotIn("lora_scale", self.read_run(output="again").record)

    def test_merged(self):
        before = self.train(*COMMON, "--lora_targets", "proj,fc1", "--lora_blocks", "0,1", "--lora_alpha", 6).tensors
        run = self.go_on("--merge_lora")
        self.assertEqual((run.record["lora_targets"], run.record["lora_blocks"], run.record["lora_scale"]), ("proj,fc1", "0,1", 3))
        for key, tensor in before.items():
            if key.startswith("lora_"):
                self.assertEqual(tensor.data, run.tensors[key].data, key)

    def test_other_layers_and_blocks_are_refused(self):
        self.train(*COMMON, "--lora_targets", "k,fc2", "--lora_blocks", "2")
        for flags, words in ((["--lora_targets", "k"], "holds LoRA of k,fc2, --lora_targets says k"),
                             (["--lora_blocks", "all"], "holds LoRA in blocks 2, --lora_blocks says all")):  # fmt: skip
            self.refused(*self.start(), *flags, mentions=[words])

    def test_without_a_record_tensors_tell(self):
        tensors = self.train(*COMMON, "--lora_targets", "q,v,fc1", "--lora_blocks", "1,2").tensors
        run = self.go_on("--normalize", "imagenet", checkpoint=self.write(tensors, None))
        self.assertEqual((run.record["lora_targets"], run.record["lora_blocks"]), ("q,v,fc1", "1,2"))

    def test_damaged_files(self):
        run = self.train(*COMMON, "--lora_targets", "q,v,fc1", "--lora_blocks", "1,2")
        tensors, record = run.tensors, run.record

        def without(*keys):
            return {key: value for key, value in tensors.items() if key not in keys}

        cases = [
            (without("lora_b_001_fc1"), record, "lora_b_001_fc1 is missing"),
            (without("lora_a_001_fc1", "lora_b_001_fc1"), record, "tell of LoRA in other layers"),
            (without("w_a_007"), record, "w_a_007 is missing"),
            (tensors, record | {"lora_targets": "q,v"}, "tell of LoRA in other layers"),
            (tensors, record | {"lora_targets": "q,v,k,fc1"}, "tell of LoRA in other layers"),
            (tensors, record | {"lora_targets": "q,v,w1"}, "the entry 'dinoft'"),
            (tensors, record | {"lora_blocks": "1,9"}, "the entry 'dinoft'"),
            (tensors, record | {"lora_blocks": "1,3"}, "tell of LoRA in other layers"),
            (tensors, record | {"lora_scale": -1}, "lora_scale"),
            (tensors | {"lora_a_002_fc9": tensors["lora_a_002_fc1"]}, record, "lora_a_002_fc9 names no layer"),
            (tensors | {"lora_a_2_fc1": tensors["lora_a_002_fc1"]}, record, "lora_a_2_fc1 names no layer"),
        ]
        for contents, said, words in cases:
            with self.subTest(words):
                self.refused("info", self.write(contents, said), mentions=[words])


class Refusals(LoraTest):
    def test_values(self):
        for flags, words in ((["--lora_targets", "q,w1"], "--lora_targets: expected names with commas between them, of q,k,v,proj,fc1,fc2"),
                             (["--lora_blocks", "last:9"], "--lora_blocks: expected all, last:N or numbers")):  # fmt: skip
            self.refused(*self.train_command(*COMMON, *flags), mentions=[words])

    def test_without_lora(self):
        for flags in (["--lora_targets", "q"], ["--lora_blocks", "1"], ["--lora_alpha", 2], ["--rslora"], ["--lora_plus", 2], ["--lora_dropout", 0.1], ["--dora"]):
            self.refused(*self.train_command(*flags), status=2, mentions=[f"{flags[0]} is for LoRA"])
        result = self.run_here(*self.train_command("--r", 5, "--weights", "nowhere"))  # main.py takes it
        self.assertIn("warning: --r 5 changes nothing", result.stderr)
        self.assertIn("--weights nowhere", result.stderr)


if __name__ == "__main__":
    main()
