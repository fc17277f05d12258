"""What --device cuda says of the device: which it takes, how much memory a model needs there, and why it cannot run.

For the emulated device (tests/emulation/README.md), whose memory and kind can be chosen."""

import os
import re
import unittest.mock

from devices import SMALL2, SMALL3, SQUARE2, DeviceTest
from support import CHANNELS, DINOV2, LINEAR, folder_data, img_dim, main, model_flags

MIB = 2**20
WORKSPACE = 32 * MIB  # cuBLASLt's, which the device has from the beginning
STAGING = 4 * MIB  # through which weights become bfloat16


class Machine(DeviceTest):
    def on_machine(self, **variables):
        """From now on, for this test."""
        values = {f"DF_EMULATION_{name}": str(value) for name, value in variables.items()}
        patch = unittest.mock.patch.dict(os.environ, values)
        patch.start()
        self.addCleanup(patch.stop)


class Choice(Machine):
    def test_automatic(self):
        """The GPU, in bf16, as whoever types it out gets it; and no advice for processors."""
        self.on_machine(MACHINE="any")
        with unittest.mock.patch.dict(os.environ, ONEDNN_MAX_CPU_ISA="AVX2"):
            runs = {
                name: self.train("--use_lora", *flags, backbone=SMALL2, output=name)
                for name, flags in (("auto", []), ("typed", ["--device", "cuda", "--precision", "bf16"]))
            }
            cpu = self.train("--device", "cpu", "--max_steps", 1, backbone=SMALL2)
        self.assertEqual(runs["auto"].tensors, runs["typed"].tensors)
        self.assertIn("device cuda, bfloat16", runs["auto"].result.stderr)
        self.assertNotIn("this processor", runs["auto"].result.stderr)
        self.assertIn("device cpu, float32", cpu.result.stderr)

    def test_device_of_a_number(self):
        self.on_machine(DEVICES=2)
        runs = {
            name: self.train("--use_lora", "--device", name, "--precision", "fp32", backbone=SMALL2, output=name[-1])
            for name in ("cuda", "cuda:0", "cuda:1")
        }
        for run in runs.values():
            self.assertEqual(run.tensors, runs["cuda"].tensors)
        self.refused(
            *self.train_command("--device", "cuda:2", backbone=SMALL2),
            mentions=["device cuda:2: of 2 GPUs that the program may see the last is cuda:1"],
        )
        self.on_machine(MACHINE="old-device")
        self.refused(
            *self.train_command("--device", "cuda:1", backbone=SMALL2),
            mentions=["emulated device of number 1 has compute capability 7.5"],
        )

    def test_default_of_other_commands(self):
        """They have the same default."""
        self.on_machine(MEMORY=MIB)
        data = folder_data(self.data)
        model = [*model_flags(SMALL2), "--lora_weights", LINEAR]
        image = self.draw_image("a.png")
        for command in (
            ["eval", *data, *model],
            ["corrupt", *data, *model, "--corruptions", "contrast"],
            ["predict", image, *model],
            ["features", image, *model, "--output", "f.safetensors"],
            ["pca", image, *model],
            ["info", DINOV2.weights, "--memory"],
            ["bench", "eval", *model_flags(SMALL2)],
            ["selftest", "--dino_type", "dinov2", "--size", "small", *img_dim(28, 28)],
        ):
            self.refused(*command, mentions=[f"{MIB} of {MIB} bytes are free on the device"])

    def test_machines_without_a_usable_device(self):
        """--device cuda says why; auto takes the processor, and says so where there is something to mend."""
        for machine, reason, mended in (
            ("no-driver", "there is no NVIDIA driver here", False),
            ("no-device", "the NVIDIA driver finds no GPU; CUDA_VISIBLE_DEVICES is 7", False),
            ("old-driver", r"the NVIDIA driver is one for CUDA 11\.8; this build needs one for CUDA \d+\.\d", True),
            ("old-device", r"emulated device has compute capability 7\.5; 8\.0 or newer is needed", True),
        ):
            self.on_machine(MACHINE=machine)
            with unittest.mock.patch.dict(os.environ, CUDA_VISIBLE_DEVICES="7"):
                command = self.train_command("--device", "cuda", backbone=SMALL2)
                error = self.refused(*command, mentions=["device cuda: "])
                self.assertRegex(error, reason)
                auto = self.train("--max_steps", 1, "--precision", "fp32", backbone=SMALL2)
            self.assertIn("device cpu, float32", auto.result.stderr)
            if mended:
                self.assertRegex(auto.result.stderr, rf"dinoft: warning: the GPU is left alone: device cuda: {reason}")
            else:
                self.assertNotIn("GPU", auto.result.stderr)


    def test_backbone_that_cannot_be_read(self):
        """Its error is the only one, though a device is opened beside the reading."""
        bad = self.folder / "bad.pth"
        bad.write_bytes(DINOV2.weights.read_bytes()[:5000])
        for machine, device in (("any", "auto"), ("old-driver", "auto"), ("no-device", "cuda")):
            self.on_machine(MACHINE=machine)
            self.refused(*self.train_command("--weights", bad, "--device", device), mentions=["bad.pth"])


class Facts(Machine):
    """dinoft --version --verbose"""

    def facts(self):
        lines = self.succeed("--version", "--verbose").stdout.splitlines()
        return {line[:20].rstrip(" :"): line[21:] for line in lines}

    def test_device(self):
        facts = self.facts()
        self.assertEqual((facts["backend cuda"], facts["default device"]), ("usable", "cuda, bfloat16"))
        self.assertRegex(facts["GPU 0"], r"^emulated device, compute capability 8\.0, \d+\.\d GiB$")
        self.assertRegex(facts["CUDA runtime"], r"^13\.0, part of the program$")
        self.assertRegex(facts["CUDA driver"], r"^for CUDA 13\.0")
        for library in ("cuBLASLt", "cuDNN"):
            self.assertRegex(facts[library], r"^\d+\.\d+\.\d+, part of the program$")

    def test_machines_without_a_usable_device(self):
        """Each says why, and the libraries are listed all the same."""
        for machine, reason in (
            ("no-driver", "not usable: there is no NVIDIA driver here"),
            ("no-device", "not usable: the NVIDIA driver finds no GPU"),
            ("old-driver", "not usable: the NVIDIA driver is one for CUDA 11.8; this build needs"),
            ("old-device", "not usable: emulated device has compute capability 7.5; 8.0 or newer is needed"),
        ):
            self.on_machine(MACHINE=machine)
            facts = self.facts()
            self.assertIn(reason, facts["backend cuda"])
            self.assertTrue(facts["default device"].startswith("cpu, "))
            self.assertIn("cuBLASLt", facts)
            self.assertEqual("GPU 0" in facts, machine == "old-device")
            self.assertEqual(facts["CUDA driver"].startswith("not found: "), machine == "no-driver")


# The buffer for a batch on its way, which only a device with memory of its own has.
INCOMING = "images as they were decoded"


class Memory(Machine):
    FLAGS = ["--img_dim", 56, 56, "--precision", "fp32", "--device", "cuda"]

    def plans(self, *flags):
        self.succeed("info", DINOV2.weights, "--memory", *self.FLAGS, *flags, "--json", "plan.json")
        return self.read_json("plan.json")

    def fails(self, command):
        """The batch that the error names, 0 for none."""
        result = self.run_here(*command)
        error = self.assert_one_error(result, 1, "out of memory", "bytes are free on the device")
        if "not even a batch of 1 fits" in error:
            return 0
        found = re.search(r"; a batch of (\d+) should fit$", error)
        self.assertIsNotNone(found, error)
        return int(found.group(1))

    def check_hint(self, plan, command):
        """A batch of 3 fits with some memory to spare; with less than the plan, the batch that the error names."""
        weights = WORKSPACE + plan["forward_weights_bytes"]
        self.on_machine(MEMORY=weights + plan["planned_memory_bytes"] + 8 * MIB)
        self.succeed(*command(3))
        hints = []
        for share in (0.9, 0.8, 0.5, 0.3):
            self.on_machine(MEMORY=int(weights + share * plan["planned_memory_bytes"]))
            hints.append(self.fails(command(3)))
            if hints[-1] > 0:
                self.succeed(*command(hints[-1]))
        self.assertEqual((hints, len(set(hints))), (sorted(hints, reverse=True), 3))

    def test_hint_of_training(self):
        plan = self.plans("--use_lora", "--batch_size", 3, "--n_classes", 4)["train"]
        self.check_hint(plan, lambda batch: self.train_command("--use_lora", *self.FLAGS, "--batch_size", batch))

    def test_hint_of_evaluation(self):
        plan = self.plans("--use_lora", "--batch_size", 3)["eval"]
        data = folder_data(self.data)
        model = ["--weights", DINOV2.weights, "--lora_weights", LINEAR, *self.FLAGS]
        self.check_hint(plan, lambda batch: ["eval", *data, *model, "--batch_size", batch])

    def test_hint_of_features_that_are_kept(self):
        """There the backbone runs in batches too, before the decoder is trained."""
        plan = self.plans("--batch_size", 3, "--n_classes", 4)["eval"]
        plan["planned_memory_bytes"] -= sum(item["bytes"] for item in plan["items"] if item["name"] == INCOMING)
        flags = [*self.FLAGS, "--cache_features", "memory", "--epochs", 2]
        self.check_hint(plan, lambda batch: self.train_command(*flags, "--batch_size", batch))

    def test_hint_of_larger_views(self):
        """The model of an evaluation grows with its views."""
        plan = self.plans("--use_lora", "--batch_size", 1)["eval"]
        self.on_machine(MEMORY=WORKSPACE + plan["forward_weights_bytes"] + plan["planned_memory_bytes"] + 2 * MIB)
        model = ["--weights", DINOV2.weights, "--lora_weights", LINEAR, *self.FLAGS, "--tta"]
        command = ["eval", *folder_data(self.data), *model]
        self.assertEqual(self.fails([*command, "--scales", "1,8"]), 0)

    def test_nothing_is_written(self):
        self.on_machine(MEMORY=WORKSPACE)
        result = self.run_here(*self.train_command(*self.FLAGS))
        self.assert_one_error(result, 1, str(DINOV2.weights), "a linear layer", "0 of")
        self.assertFalse((self.folder / "output" / "run.pt").exists())

    def test_memory_that_ends_in_the_middle(self):
        """An image that is much larger than the one before. What there was until then stays."""
        plan = self.plans("--use_lora", "--batch_size", 1)["eval"]
        small, large = self.draw_image("a.png"), self.draw_image("b.png", 600, 500)
        self.on_machine(MEMORY=WORKSPACE + plan["forward_weights_bytes"] + plan["planned_memory_bytes"] + MIB // 4)
        model = ["--weights", DINOV2.weights, "--lora_weights", LINEAR, *self.FLAGS]
        result = self.run_here("predict", small, large, "--batch_size", 1, *model)
        self.assert_one_error(result, 1, "out of memory", "bytes are free on the device")
        self.assertTrue((self.folder / "output" / "a.png").is_file())
        self.assertFalse((self.folder / "output" / "b.png").exists())

    def test_plan(self):
        """The model's buffers are the same on both devices but for the images' way there; the weights are stored
        once, for both directions."""
        flags = [*self.FLAGS, "--use_lora", "--batch_size", 2]
        for precision in ("fp32", "bf16"):
            cuda = self.plans(*flags, "--precision", precision)
            self.assertEqual((cuda["train"]["backward_weights_bytes"], cuda["eval"]["backward_weights_bytes"]), (0, 0))
            block = 12 * CHANNELS * CHANNELS * {"fp32": 4, "bf16": 2}[precision]
            self.assertGreater(cuda["train"]["forward_weights_bytes"], DINOV2.depth * block)
        cpu = self.plans(*flags, "--device", "cpu", "--precision", "fp32")
        cuda = self.plans(*flags, "--precision", "fp32")
        for mode in ("train", "eval"):
            self.assertEqual(cuda[mode]["trained_parameters"], cpu[mode]["trained_parameters"])
            self.assertEqual([item for item in cuda[mode]["items"] if item["name"] != INCOMING], cpu[mode]["items"])
            more = cuda[mode]["planned_memory_bytes"] - cpu[mode]["planned_memory_bytes"]
            self.assertEqual([item["bytes"] for item in cuda[mode]["items"] if item["name"] == INCOMING], [more])


class Bench(Machine):
    def figures(self, mode, *flags, backbone=SMALL2):
        setting = ["--use_lora", "--device", "cuda", "--batch_size", 2, "--steps", 1, "--json", "b.json"]
        result = self.succeed("bench", mode, *model_flags(backbone), *setting, *flags)
        self.assertIn("(of the device's)", result.stdout)
        figures = self.read_json("b.json")
        self.assertEqual((figures["device"], figures["mode"]), ("cuda", mode))
        return figures

    def check_memory(self, figures, plan):
        """What the program took of the device: the plan, the weights, the workspace, and scratch memory."""
        taken = figures["peak_memory_bytes"]
        known = plan["planned_memory_bytes"] + plan["forward_weights_bytes"] + WORKSPACE
        self.assertGreaterEqual(taken, known)
        self.assertLessEqual(taken, known + STAGING + MIB)

    def test_figures(self):
        for mode, precision, name in (("train", "bf16", "bfloat16"), ("eval", "fp32", "float32")):
            setting = [*img_dim(*SMALL2.size), "--use_lora", "--batch_size", 2, "--device", "cuda"]
            self.succeed("info", SMALL2.weights, "--memory", *setting, "--precision", precision, "--json", "plan.json")
            plan = self.read_json("plan.json")[mode]
            figures = self.figures(mode, "--precision", precision)
            self.assertEqual(figures["precision"], name)
            self.assertGreater(figures["gemm_peak_gflops"], 0)
            self.assertGreater(figures["images_per_second"], 0)
            self.assertEqual(figures["planned_memory_bytes"], plan["planned_memory_bytes"])
            self.check_memory(figures, plan)

    def test_loader(self):
        """Its batches are those that the device would get."""
        data = [*folder_data(self.data), "--n_classes", 4, "--batch_size", 2]
        result = self.succeed("bench", "loader", *data, "--device", "cuda", "--steps", 3)
        self.assertIn("3 of 2, packed for a device that resizes to 480 x 480", result.stdout)

    def test_operations(self):
        figures = self.figures("ops", backbone=SMALL3)
        operations = {name: {row["operation"] for row in figures[name]["operations"]} for name in ("train", "eval")}
        self.assertLessEqual({"linear_backward", "attention_backward", "rope", "adamw"}, operations["train"])
        self.assertLessEqual({"linear_forward", "attention_forward", "rope", "upsample_loss"}, operations["eval"])
        self.assertGreater(figures["train"]["peak_memory_bytes"], figures["eval"]["peak_memory_bytes"])
        algorithms = {row["operation"]: row.get("algorithm") for row in figures["train"]["operations"]}
        self.assertRegex(algorithms["linear_forward"], r"^cuBLASLt 1 of 2$")
        self.assertEqual(algorithms["attention_forward"], "own kernel")
        self.assertIsNone(algorithms["rope"])

    def test_algorithms_are_shown(self):
        self.on_machine(CUBLASLT="unaligned,epilogue")
        model = [*model_flags(SQUARE2), "--use_lora", "--use_fpn", "--batch_size", 1, "--steps", 1, "--device", "cuda"]
        table = self.succeed("bench", "ops", *model).stdout
        self.assertRegex(table, r"(?m)GB/s  algorithm$")
        self.assertRegex(table, r"(?m)^linear_forward .*  cuBLASLt 1 of 2, additions apart, padded$")
        self.assertRegex(table, r"(?m)^conv_forward .*  cuDNN algorithm \d+$")
        self.assertRegex(table, r"(?m)^attention_forward .*  own kernel$")
        setting = ["--dino_type", "dinov2", "--size", "small", *img_dim(112, 112), "--batch_size", 1, "--steps", 1]
        table = self.succeed("selftest", "--device", "cuda", *setting).stdout
        self.assertRegex(table, r"(?m)^linear_forward .*  yes, by cuBLASLt 1 of 2, additions apart")
        self.assertRegex(table, r"(?m)^rope .*  yes$")


if __name__ == "__main__":
    main()
