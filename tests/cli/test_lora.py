"""LoRA in other layers and blocks than main.py's, and other scales: files, going on, refusals."""

import json

from support import DINOV2, img_dim, main
from tensor_files import write_safetensors
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


class GoingOn(LoraTest):
    def test_everything_is_the_checkpoints(self):
        self.train(*COMMON, "--lora_targets", "k,fc2", "--lora_blocks", "2", "--lora_alpha", 6)
        run = self.go_on()
        self.assertIn("its alpha 6, its layers k,fc2, its blocks 2,", run.result.stderr)
        self.assertEqual((run.config["lora_targets"], run.config["lora_blocks"], run.config["lora_alpha"]), ("k,fc2", "2", 6))
        self.assertEqual((run.record["lora_targets"], run.record["lora_blocks"], run.record["lora_scale"]), ("k,fc2", "2", 3))
        self.assertIn("LoRA's scale 1 (it was 3)", self.go_on("--lora_alpha", 2, output="other").result.stderr)

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
        for flags in (["--lora_targets", "q"], ["--lora_blocks", "1"], ["--lora_alpha", 2], ["--rslora"], ["--lora_plus", 2], ["--lora_dropout", 0.1]):
            self.refused(*self.train_command(*flags), status=2, mentions=[f"{flags[0]} is for LoRA"])
        result = self.run_here(*self.train_command("--r", 5, "--weights", "nowhere"))  # main.py takes it
        self.assertIn("warning: --r 5 changes nothing", result.stderr)
        self.assertIn("--weights nowhere", result.stderr)


if __name__ == "__main__":
    main()
