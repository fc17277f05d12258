"""dinoft convert and dinoft info: weights in another form are the same weights."""

import os
import re
import shutil
import struct
import subprocess

from datasets import draw_image, make_folder
from support import (CHANNELS, DINOV2, DINOV3, FIXTURES, FPN, PROGRAM, CommandLineTest, files_in, folder_data, img_dim,
                     main, model_flags)
from tensor_files import read_checkpoint, read_safetensors, read_torch, values

SEEDS = FIXTURES / "seed_checkpoints"
BACKBONES = [path.parent.name for path in sorted(FIXTURES.glob("*/backbone.pth"))]


def stripped(tensors):
    """What must survive a conversion: type, shape and bytes of each tensor."""
    return {name: (tensor.dtype, tensor.shape, tensor.data) for name, tensor in tensors.items()}


class ConvertTest(CommandLineTest):
    def convert(self, source, target, *flags):
        self.succeed("convert", source, target, *flags)
        path = self.folder / target
        return read_safetensors(path)[0] if path.suffix == ".safetensors" else read_torch(path)


class Backbones(ConvertTest):
    def test_pth_to_safetensors_and_back(self):
        for name in BACKBONES:
            with self.subTest(name):
                source = FIXTURES / name / "backbone.pth"
                original = stripped(read_torch(source))
                self.assertEqual(stripped(self.convert(source, "b.safetensors")), original)
                self.assertEqual(stripped(self.convert("b.safetensors", "b.pth")), original)

    def test_nothing_else_is_written(self):
        self.convert(DINOV2.weights, "b.safetensors")
        self.assertEqual(files_in(self.folder), ["b.safetensors"])

    def test_to_huggingface(self):
        for backbone in (DINOV2, DINOV3):
            with self.subTest(backbone.family):
                ours = self.convert(backbone.weights, "hf.safetensors", "--naming", "huggingface")
                theirs, _ = read_safetensors(
                    FIXTURES / "hf" / backbone.weights.parent.name / "model.safetensors"
                )
                self.assertEqual(sorted(ours), sorted(theirs))
                self.assertEqual(stripped(ours), stripped(theirs))

    def test_from_huggingface(self):
        for backbone in (DINOV2, DINOV3):
            with self.subTest(backbone.family):
                official = stripped(read_torch(backbone.weights))
                theirs = FIXTURES / "hf" / backbone.weights.parent.name / "model.safetensors"
                ours = stripped(self.convert(theirs, "official.pth"))
                for name in (
                    "patch_embed.proj.weight",
                    "blocks.0.attn.qkv.weight",
                    "blocks.3.mlp.fc2.bias",
                    "norm.weight",
                ):
                    self.assertEqual(ours[name], official[name], name)
                derived = {"rope_embed.periods"} | {name for name in official if name.endswith("bias_mask")}
                self.assertEqual(set(official) - set(ours) - derived, set())

    def test_same_features_in_every_form(self):
        draw_image(self.folder / "a.png", 50, 40, 0)
        for backbone in (DINOV2, DINOV3):
            self.convert(backbone.weights, "hf.safetensors", "--naming", "huggingface")
            self.convert("hf.safetensors", "back.pth")
            found = []
            for weights in (backbone.weights, "hf.safetensors", "back.pth"):
                self.succeed("features", "a.png", *model_flags(backbone), "--weights", weights,
                             "--output", "f.safetensors", "--overwrite")  # fmt: skip
                found.append((self.folder / "f.safetensors").read_bytes())
            self.assertEqual(found[0], found[1], backbone.family)
            self.assertEqual(found[0], found[2], backbone.family)

    def test_fp16(self):
        original = read_torch(DINOV3.weights)
        smaller = self.convert(DINOV3.weights, "half.safetensors", "--dtype", "fp16")
        self.assertEqual({tensor.dtype for tensor in smaller.values()}, {"F16"})
        for name in ("cls_token", "patch_embed.proj.weight", "blocks.2.ls1.gamma"):
            numbers = values(original[name])
            self.assertEqual(smaller[name].data, struct.pack(f"<{len(numbers)}e", *numbers), name)

    def test_fp32_of_halves_is_exact(self):
        original = read_torch(DINOV2.weights)
        larger = self.convert(DINOV2.weights, "full.pth", "--dtype", "fp32")
        self.assertEqual({tensor.dtype for tensor in larger.values()}, {"F32"})
        for name in ("pos_embed", "blocks.1.attn.qkv.weight"):
            self.assertEqual(values(larger[name]), values(original[name]), name)

    def test_bf16(self):
        smaller = self.convert(DINOV3.weights, "b.safetensors", "--dtype", "bf16")
        self.assertEqual({tensor.dtype for tensor in smaller.values()}, {"BF16"})

    def test_onto_itself(self):
        shutil.copy(DINOV3.weights, self.folder / "b.pth")
        original = stripped(read_torch(DINOV3.weights))
        self.assertEqual(stripped(self.convert("b.pth", "b.pth")), original)

    def test_format_of_the_output_by_its_name(self):
        self.refused("convert", DINOV2.weights, "b.bin", mentions=["b.bin", ".safetensors"])
        self.assertEqual(files_in(self.folder), [])


class Checkpoints(ConvertTest):
    def check_round_trip(self, source, metadata_keys=()):
        entries = read_torch(source)
        self.convert(source, "c.safetensors")
        tensors, metadata = read_safetensors(self.folder / "c.safetensors")
        record = entries.pop("dinoft", None)
        self.assertEqual(stripped(tensors), stripped(entries))
        self.assertEqual(metadata.get("dinoft"), record)
        back = self.convert("c.safetensors", "c.pt")
        self.assertEqual(back.pop("dinoft", None), record)
        self.assertEqual(stripped(back), stripped(entries))
        self.assertEqual(
            {name: tensor.parameter for name, tensor in back.items()},
            {name: tensor.parameter for name, tensor in entries.items()},
        )
        self.assertEqual({tensor.device for tensor in back.values()}, {"cpu"})

    def test_of_the_reference_project(self):
        seeds = sorted(SEEDS.glob("*/*.pt"))
        self.assertTrue(seeds)
        for source in seeds + sorted(FIXTURES.glob("dinov?_tiny*/*.pt")):
            with self.subTest(str(source.relative_to(FIXTURES))):
                self.check_round_trip(source)

    def test_pt_to_pt_keeps_the_order(self):
        source = SEEDS / "dinov3" / "large_voc_lora.pt"
        self.assertEqual(list(self.convert(source, "c.pt")), list(read_torch(source)))

    def test_convert_adds_no_record(self):
        self.convert(SEEDS / "dinov2" / "large_voc_no_lora.pt", "c.pt")
        self.assertIsNone(read_checkpoint(self.folder / "c.pt")[1])


class Info(CommandLineTest):
    def info(self, path):
        lines = {}
        for line in self.succeed("info", path).stdout.splitlines():
            name, _, value = line.partition(":")
            lines[name] = value.strip()
        return lines

    def test_dinov2(self):
        lines = self.info(DINOV2.weights)
        self.assertEqual(lines["file"], str(DINOV2.weights))
        self.assertEqual(lines["format"], "PyTorch (.pt / .pth)")
        self.assertIn("(dinov2)", lines["backbone"])
        self.assertEqual(lines["channels"], f"{CHANNELS} in 2 heads of 64")
        self.assertEqual((lines["blocks"], lines["patch"], lines["registers"]), ("4", "14 x 14", "4"))
        self.assertEqual(lines["FFN"], "MLP, 512 hidden")
        self.assertEqual(lines["position"], "learned, 37 x 37")
        self.assertEqual(lines["types"], "float16 (64 tensors)")
        total = sum(len(values(tensor)) for tensor in read_torch(DINOV2.weights).values())
        self.assertEqual(lines["parameters"], str(total))

    def test_dinov3(self):
        lines = self.info(DINOV3.weights)
        self.assertIn("(dinov3)", lines["backbone"])
        self.assertEqual((lines["patch"], lines["position"]), ("16 x 16", "RoPE"))

    def test_other_backbones(self):
        expected = {
            "dinov2_tiny": {"registers": "0"},
            "dinov2_tiny_swiglu_reg": {"FFN": "SwiGLU, 344 hidden"},
            "dinov3_tiny_swiglu": {"position": "RoPE"},
            "dinov3_tiny_7b": {"channels": "256 in 2 heads of 128"},
        }
        for name, lines in expected.items():
            found = self.info(FIXTURES / name / "backbone.pth")
            for key, value in lines.items():
                self.assertEqual(found[key], value, name)

    def test_huggingface(self):
        lines = self.info(FIXTURES / "hf" / "dinov3_tiny" / "model.safetensors")
        self.assertEqual(lines["format"], "safetensors")
        self.assertIn("(dinov3)", lines["backbone"])

    def test_checkpoint_without_lora(self):
        lines = self.info(SEEDS / "dinov2" / "large_voc_no_lora.pt")
        self.assertEqual(lines["checkpoint"], "decoder")
        self.assertIn("linear", lines["decoder"])
        self.assertEqual((lines["classes"], lines["channels"], lines["LoRA"]), ("21", "1024", "none"))
        self.assertEqual(lines["parameters"], f"{21 * 1024 + 21} (LoRA 0)")
        self.assertIn("not recorded", lines["trained by"])

    def test_checkpoint_with_lora(self):
        lines = self.info(SEEDS / "dinov3" / "large_voc_lora.pt")
        self.assertEqual(lines["checkpoint"], "LoRA and decoder")
        self.assertEqual(lines["LoRA"], "rank 3 in 24 blocks")
        self.assertEqual(lines["parameters"], f"{21 * 1024 + 21 + 96 * 3 * 1024} (LoRA {96 * 3 * 1024})")

    def test_fpn_checkpoint(self):
        lines = self.info(FPN)
        self.assertEqual((lines["decoder"], lines["LoRA"]), ("FPN", "rank 3 in 4 blocks"))
        self.assertEqual(lines["types"], "float32 (47 tensors), int64 (5 tensors)")


class MemoryPlan(CommandLineTest):
    """info's plans: what the model would take, found without taking it."""

    def plans(self, *arguments):
        memory = [] if str(arguments[0]).startswith("--") else ["--memory"]
        self.succeed("info", *arguments, *memory, "--json", "plan.json")
        return self.read_json("plan.json")

    def tables(self, text):
        """The rows of each table: [{item: (count, MiB)}] for train and eval."""
        tables = []
        for line in text.splitlines():
            row = re.match(r"  (\S.*?) +(\d+) +([0-9.]+) MiB +[0-9.]+ %$", line)
            if line.startswith("memory to "):
                tables.append({})
            elif row:
                tables[-1][row[1]] = (int(row[2]), float(row[3]))
        return tables

    def test_is_what_bench_takes(self):
        flags = ["--batch_size", 2, *img_dim(*DINOV2.size), "--use_lora", "--r", 5, "--n_classes", 9]
        for more in ([], ["--use_fpn"], ["--decoder", "multi"], ["--decoder", "mlp"], ["--recompute"]):
            plan = self.plans(DINOV2.weights, *flags, *more)
            for mode in ("train", "eval"):
                self.succeed("bench", mode, "--weights", DINOV2.weights, *flags, *more, "--steps", 1, "--json", "b.json")
                figures = self.read_json("b.json")
                for name in ("planned_memory_bytes", "rank", "n_classes", "batch_size", "height", "width", "decoder"):
                    self.assertEqual(plan[mode][name], figures[name], (mode, name))

    def test_items(self):
        plans = self.plans(DINOV2.weights, "--use_lora", "--batch_size", 2, "--device", "cpu")
        items = {item["name"]: item for item in plans["train"]["items"]}
        tokens = 2 * (1 + 4 + 35 * 35)
        self.assertEqual(items["block input"]["count"], DINOV2.depth)
        self.assertEqual(items["block input"]["bytes"], DINOV2.depth * tokens * CHANNELS * 4)
        self.assertEqual(plans["train"]["trained_parameters"], 4 * DINOV2.depth * 3 * CHANNELS + 21 * (CHANNELS + 1) + 2 * CHANNELS)
        sizes = [item["bytes"] for item in plans["train"]["items"]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertGreaterEqual(sum(sizes), plans["train"]["planned_memory_bytes"])
        self.assertGreater(plans["train"]["backward_weights_bytes"], 0)
        self.assertEqual(plans["eval"]["backward_weights_bytes"], 0)
        self.assertNotIn("block input", [item["name"] for item in plans["eval"]["items"]])

    def test_table_says_the_same(self):
        flags = [DINOV3.weights, "--use_lora", "--precision", "fp32"]
        plans = self.plans(*flags)
        text = self.succeed("info", *flags, "--memory").stdout
        for plan, table in zip((plans["train"], plans["eval"]), self.tables(text), strict=True):
            expected = {item["name"]: (item["count"], round(item["bytes"] / 2**20, 1)) for item in plan["items"]}
            self.assertEqual(table, expected)
            self.assertIn(f"{plan['planned_memory_bytes'] / 2**20:.1f} MiB", text)
        self.assertRegex(text, rf"trained parameters +{plans['train']['trained_parameters']}\n")
        self.assertRegex(text, rf"work of an image +{plans['eval']['gflop_per_image']:.1f} GFLOP\n")
        self.assertGreater(plans["train"]["gflop_per_image"], 2 * plans["eval"]["gflop_per_image"])

    def test_recomputing(self):
        kept = self.plans(DINOV2.weights, "--use_lora")["train"]
        recomputed = self.plans(DINOV2.weights, "--use_lora", "--recompute")["train"]
        self.assertLess(recomputed["planned_memory_bytes"], kept["planned_memory_bytes"])
        counts = {item["name"]: item["count"] for item in recomputed["items"]}
        self.assertEqual((counts["block input"], counts["q k v"]), (DINOV2.depth, 1))

    def test_without_a_file(self):
        """A giant's plan takes neither its weights nor its activations."""
        flags = ["--dino_type", "dinov2", "--size", "giant", "--use_lora", "--precision", "fp32"]
        command = [PROGRAM, "info", *flags, "--json", "plan.json"]
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE)
        text = process.stdout.read().decode()
        process.stdout.close()
        _, process.returncode, usage = os.wait4(process.pid, 0)
        self.assertEqual(process.returncode, 0)
        self.assertLess(usage.ru_maxrss, 2**20)  # KiB
        self.assertIn("dinov2_vitg14_reg", text)
        plan = self.read_json("plan.json")["train"]
        self.assertGreater(plan["planned_memory_bytes"], 2**34)
        self.assertGreater(plan["forward_weights_bytes"], 4 * 1.1e9)

    def test_checkpoints(self):
        """The record names the backbone, or the flags do."""
        path = SEEDS / "dinov3" / "large_voc_lora.pt"
        plan = self.plans(path, "--dino_type", "dinov3", "--size", "large", "--batch_size", 1)["train"]
        self.assertEqual((plan["rank"], plan["n_classes"], plan["decoder"]), (3, 21, "linear"))
        self.assertEqual(plan["trained_parameters"], 21 * 1024 + 21 + 96 * 3 * 1024)

    def test_what_a_record_says_counts(self):
        """Backbone, image size, LoRA and decoder, where no flag says otherwise."""
        make_folder(self.folder / "data", n_classes=4)
        flags = ["--use_lora", "--r", 5, "--use_fpn", "--n_classes", 4, "--batch_size", 2]
        self.succeed("train", *folder_data("data"), *model_flags(DINOV2), *flags,
                     "--epochs", 1, "--exp_name", "run")  # fmt: skip
        checkpoint = ["output/run.pt", "--batch_size", 2]
        self.assertEqual(self.plans(*checkpoint), self.plans(DINOV2.weights, *flags, *img_dim(*DINOV2.size)))
        typed = self.plans(*checkpoint, *img_dim(126, 154))["train"]
        self.assertEqual((typed["height"], typed["width"], typed["rank"]), (126, 154, 5))
        self.refused("info", *checkpoint, "--memory", "--dino_type", "dinov2", "--size", "small",
                     mentions=["run.pt was trained on", "128 channels", "--size", "dinov2_vits14_reg"])  # fmt: skip

    def test_refusals(self):
        checkpoint = SEEDS / "dinov3" / "large_voc_lora.pt"
        info = ["info", "--memory"]
        self.refused(*info, checkpoint, mentions=[checkpoint.name, "--dino_type", "--size"])
        self.refused(*info, checkpoint, "--size", "small", mentions=[checkpoint.name, 1024, 384])
        self.refused(*info, checkpoint, "--size", "large", "--r", 4, mentions=["--r", checkpoint.name])
        self.refused(*info, DINOV2.weights, "--size", "small", mentions=["--size", DINOV2.weights.name])
        self.refused(*info, DINOV2.weights, "--img_dim", 8, 8, mentions=["--img_dim", 14])
        self.refused(*info, DINOV2.weights, "--json", "/proc/none/p.json", mentions=["/proc/none"])
        shutil.copy(DINOV2.weights, self.folder / "b.pth")
        self.refused(*info, "b.pth", "--json", "b.pth", mentions=["b.pth"])
        self.assertEqual((self.folder / "b.pth").read_bytes(), DINOV2.weights.read_bytes())
        self.refused("info", status=2, mentions=["FILE", "--size"])

    def test_a_file_alone(self):
        """No plan unless it is asked for, and no flag of it that would change nothing."""
        for path in (DINOV2.weights, FPN):
            self.assertNotIn("memory", self.succeed("info", path).stdout)
        for flag in (["--batch_size", 2], ["--json", "p.json"], ["--device", "cpu"], ["--size", "small"]):
            self.refused("info", DINOV2.weights, *flag, status=2, mentions=[flag[0], "--memory"])


if __name__ == "__main__":
    main()
