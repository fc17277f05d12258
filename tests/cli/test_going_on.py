"""train --lora_weights of another model: for other classes, without LoRA, or with LoRA that is merged."""

import shutil

from datasets import voc_demo
from support import DINOV2, FPN, LINEAR, error_lines, files_in, main, model_flags
from tensor_files import read_checkpoint, read_safetensors, read_torch, values, write_safetensors
from training import CLASSES, TrainingTest

VOC = ["--dataset", "voc", "--data_root"]
STILL = ["--lr", 1e-30, "--weight_decay", 0]  # steps that change no bit
NAMES = ["sky", "house", "tree", "road"]
FIRST = "first/run.pt"


def is_lora(name):
    return name.startswith(("w_a_", "w_b_"))


def lora_of(tensors):
    return {name: tensor for name, tensor in tensors.items() if is_lora(name)}


def head_of(tensors):
    """But for what a batch normalisation learns from a pass alone."""
    return {
        name: tensor
        for name, tensor in tensors.items()
        if not is_lora(name) and not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
    }


class GoingOnTest(TrainingTest):
    def named(self, *names):
        path = self.folder / "names.txt"
        path.write_text("\n".join(names))
        return ["--class_names", path]

    def first(self, *flags, **options):
        return self.train(*flags, output="first", **options)

    def line(self, result, *mentions):
        """The log's line with the first mention, which has the others too."""
        lines = [line for line in result.stderr.splitlines() if mentions[0] in line]
        self.assertEqual(len(lines), 1, result.stderr)
        for mention in mentions:
            self.assertIn(str(mention), lines[0])

    def assert_quiet(self, result):
        for words in ("is made", "goes on", "merged"):
            self.assertNotIn(words, result.stderr)

    def evaluate(self, checkpoint="output/run.pt", data=None, backbone=DINOV2, batch_size=3):
        """With the original backbone, and no flag that speaks of LoRA."""
        self.succeed("eval", *(data or self.folder_flags()), *model_flags(backbone), "--batch_size", batch_size,
                     "--lora_weights", checkpoint, "--metrics_json", "metrics.json")  # fmt: skip
        return self.read_json("metrics.json")

    def assert_evaluates(self, metrics, *flags, **options):
        found = self.evaluate(*flags, **options)
        self.assertEqual((found["loss"], found["miou"]), (metrics["val_loss"][-1], metrics["val_iou"][-1]))


class NewHead(GoingOnTest):
    def test_another_number_of_classes(self):
        run = self.train("--lora_weights", LINEAR, "--seed", 7, *STILL)
        self.line(run.result, f"the head of {LINEAR} is for 21 classes: a new one is made for the {CLASSES} of folder; its LoRA goes on")
        self.assertEqual(lora_of(run.tensors), lora_of(read_torch(LINEAR)))
        fresh = self.train("--use_lora", "--seed", 7, "--normalize", "none", *STILL, output="fresh")
        self.assertEqual(head_of(run.tensors), head_of(fresh.tensors), "as in a new model of that seed")
        self.assertEqual((run.record["n_classes"], run.record["rank"]), (CLASSES, 3))

    def test_what_the_record_calls_it(self):
        self.first("--use_lora", data=[*VOC, voc_demo()])
        run = self.train("--lora_weights", FIRST)
        self.line(run.result, f"the head of {FIRST} is for 21 classes of voc: a new one is made for the {CLASSES} of folder; its")
        self.assertEqual(len(self.evaluate()["per_class"]), CLASSES)

    def test_it_trains(self):
        run = self.train("--lora_weights", LINEAR, "--epochs", 2, "--lr", 1e-2)
        self.assertNotEqual(lora_of(run.tensors), lora_of(read_torch(LINEAR)))

    def test_names_tell_classes_apart(self):
        first = self.first("--use_lora", *self.named(*NAMES))
        same = self.train("--lora_weights", FIRST, *self.named(*NAMES), *STILL)
        self.assertEqual(same.tensors, first.tensors)
        self.assert_quiet(same.result)
        other = self.train("--lora_weights", FIRST, *self.named("sky", "tree", "house", "road"), *STILL)
        self.line(other.result, "for other classes (class 1 was 'house' and is 'tree'): a new one is made; its LoRA goes on")
        self.assertEqual(lora_of(other.tensors), lora_of(first.tensors))
        self.assertNotEqual(head_of(other.tensors), head_of(first.tensors))
        self.assertEqual(other.record["class_names"][1], "tree")

    def test_classes_without_names(self):
        """Their number is all there is, which a line says."""
        first = self.first("--use_lora")
        for flags in ([], self.named(*NAMES)):
            run = self.train("--lora_weights", FIRST, *flags, *STILL)
            self.assertEqual(run.tensors, first.tensors)
            self.line(run.result, f"no names tell whether the {CLASSES} classes of {FIRST} are those of folder")

    def test_another_decoder(self):
        flags = ["--n_classes", 21, *STILL]
        run = self.train("--use_fpn", "--lora_weights", LINEAR, *flags)
        self.line(run.result, f"the head of {LINEAR} is of type linear: a new one of type fpn is made; its LoRA goes on")
        self.assertEqual(lora_of(run.tensors), lora_of(read_torch(LINEAR)))
        back = self.train("--no_use_fpn", "--head_norm", "none", "--lora_weights", FPN, *flags)
        self.line(back.result, f"the head of {FPN} is of type fpn: a new one of type linear is made")
        self.assertEqual(back.record["decoder"], "linear")
        self.succeed("train", "--config", "output/run_config.json", "--exp_name", "again")
        self.assertEqual((self.folder / "output" / "again.pt").read_bytes(), (self.folder / "output" / "run.pt").read_bytes())

    def test_the_decoder_is_the_checkpoints(self):
        run = self.train("--lora_weights", FPN, "--n_classes", 21, *STILL)
        self.line(run.result, f"taken from {FPN}: LoRA of rank 3, decoder fpn,")
        self.assertEqual(head_of(run.tensors), head_of(read_torch(FPN)))
        self.assertTrue(run.config["use_fpn"])

    def test_the_blocks_are_the_checkpoints(self):
        first = self.first("--use_lora", "--decoder", "multi", "--decoder_layers", "even", *self.named(*NAMES))
        self.assertEqual((first.record["decoder"], first.record["decoder_layers"]), ("multi", "even"))
        same = self.train("--lora_weights", FIRST, *self.named(*NAMES), *STILL)
        self.line(same.result, f"taken from {FIRST}: LoRA of rank 3, decoder multi (even blocks),")
        self.assertEqual(same.tensors, first.tensors)
        self.assertEqual((same.config["decoder"], same.config["decoder_layers"]), ("multi", "even"))
        other = self.train("--lora_weights", FIRST, "--decoder_layers", "last", *self.named(*NAMES), *STILL)
        self.line(other.result, f"the head of {FIRST} is of type multi (even blocks): a new one of type multi (last blocks) is made")
        self.assertEqual(lora_of(other.tensors), lora_of(first.tensors))
        self.assertNotEqual(head_of(other.tensors), head_of(first.tensors))
        linear = self.train("--lora_weights", FIRST, "--decoder", "linear", "--head_norm", "none", *self.named(*NAMES), *STILL)
        self.line(linear.result, f"the head of {FIRST} is of type multi (even blocks): a new one of type linear is made")
        self.refused(*self.train_command("--lora_weights", LINEAR, "--decoder_layers", "even"), mentions=["is for --decoder multi and mlp"])

    def test_the_norm_is_the_checkpoints(self):
        recipe = ["--head_norm", "bn", "--head_dropout", 0.25]
        first = self.first("--use_lora", *recipe, *self.named(*NAMES))
        same = self.train("--lora_weights", FIRST, *self.named(*NAMES), *STILL)
        self.line(same.result, f"taken from {FIRST}: LoRA of rank 3, decoder linear (BatchNorm, dropout 0.25),")
        self.assertEqual(head_of(same.tensors), head_of(first.tensors))
        self.assertEqual((same.config["head_norm"], same.config["head_dropout"]), ("bn", 0.25))
        other = self.train("--lora_weights", FIRST, "--head_dropout", 0, *self.named(*NAMES), *STILL)
        self.assertEqual(head_of(other.tensors), head_of(first.tensors))
        self.assertNotIn("head_dropout", other.record)
        plain = self.train("--lora_weights", FIRST, "--head_norm", "none", *self.named(*NAMES), *STILL)
        self.line(plain.result, "is of type linear (BatchNorm, dropout 0.25): a new one of type linear (dropout 0.25) is made")
        self.assertIn("classifier.weight", plain.tensors)
        fpn = self.train("--lora_weights", FIRST, "--use_fpn", *self.named(*NAMES), *STILL)
        self.line(fpn.result, "a new one of type fpn is made")

    def test_blocks_that_are_not_recorded(self):
        first = self.first("--use_lora", "--decoder", "multi")
        write_safetensors(self.folder / "bare.safetensors", first.tensors)
        self.refused(*self.train_command("--lora_weights", "bare.safetensors"), mentions=["bare.safetensors", "which blocks its decoder multi reads"])

    def test_other_classes_have_masks_of_their_own(self):
        self.first("--use_lora", "--mask_values", "0,1,2,3")
        run = self.train("--lora_weights", FIRST, "--n_classes", CLASSES + 1)
        self.assertNotIn("mask_values", run.record)

    def test_nothing_would_go_on(self):
        self.first()
        for flags in (["--n_classes", CLASSES + 1], ["--n_classes", CLASSES + 1, "--use_lora"], ["--use_fpn"]):
            self.refused(
                *self.train_command("--lora_weights", FIRST, *flags), mentions=["no LoRA", f"nothing of {FIRST} would go on"]
            )
        self.assertEqual([name for name in files_in(self.folder) if name.startswith("output")], [])


class NewLora(GoingOnTest):
    def test_it_begins_where_the_checkpoint_is(self):
        """B is zero, so that nothing is another number: not the first validation, nor the first step."""
        for decoder in ([], ["--use_fpn"]):
            first = self.first("--epochs", 2, *decoder)
            run = self.train("--lora_weights", FIRST, "--use_lora", "--r", 2, *STILL)
            self.line(run.result, f"{FIRST} holds no LoRA: new LoRA of rank 2 is made; its head goes on")
            self.assertEqual(head_of(run.tensors), head_of(first.tensors))
            self.assertEqual(run.record["rank"], 2)
            self.assert_b_is_zero(run.tensors)
            frozen = self.train("--lora_weights", FIRST, "--cache_features", "off", output="frozen")
            self.assertNotIn("is made", frozen.result.stderr)
            self.assertEqual(run.steps[0]["loss"], frozen.steps[0]["loss"])
            if not decoder:  # the pyramid's statistics have moved
                self.assert_evaluates(run.metrics, FIRST)

    def assert_b_is_zero(self, tensors):
        """But for what a step of 1e-30 adds."""
        for name, tensor in lora_of(tensors).items():
            self.assertEqual(max(map(abs, values(tensor))) < 1e-20, name.startswith("w_b_"), name)

    def test_it_is_a_new_models(self):
        self.first("--seed", 1)
        run = self.train("--lora_weights", FIRST, "--use_lora", "--seed", 7, *STILL)
        fresh = self.train("--use_lora", "--seed", 7, *STILL, output="fresh")
        for name in lora_of(fresh.tensors):
            if name.startswith("w_a_"):
                self.assertEqual(run.tensors[name], fresh.tensors[name])
        self.assert_b_is_zero(run.tensors)
        self.assertEqual(run.record["rank"], 3)

    def test_it_trains(self):
        self.first()
        run = self.train("--lora_weights", FIRST, "--use_lora", "--lr_lora", 2, "--lr", 1e-3)
        for name, tensor in lora_of(run.tensors).items():
            self.assertTrue(any(values(tensor)), name)


class Merged(GoingOnTest):
    MERGE = ["--merge_lora", "--lora_weights", FIRST]

    def setUp(self):
        super().setUp()
        self.start = self.first("--use_lora", "--r", 2, "--lr", 1e-2, "--epochs", 2)

    def test_it_stays_and_evaluates(self):
        for flags in ([], ["--ema", 0.5], ["--precision", "fp32", "--accumulate", 3]):
            with self.subTest(flags):
                run = self.train(*self.MERGE, "--epochs", 2, "--val_every", 1, *flags)
                self.line(run.result, f"the LoRA of {FIRST} is merged into the backbone, which is frozen; its head goes on")
                self.assertEqual(lora_of(run.tensors), lora_of(self.start.tensors))
                self.assertNotEqual(head_of(run.tensors), head_of(self.start.tensors))
                self.assertEqual((run.record["rank"], run.config["use_lora"]), (2, False))
                self.assertEqual(list(run.tensors), list(self.start.tensors))
                self.assertEqual([tensor.parameter for tensor in run.tensors.values()],
                                 [tensor.parameter for tensor in self.start.tensors.values()])  # fmt: skip
                if "--precision" not in flags:
                    self.assert_evaluates(run.metrics)

    def test_the_same_head_is_the_same_model(self):
        run = self.train(*self.MERGE, *STILL)
        self.assertEqual(run.tensors, self.start.tensors)
        self.assert_evaluates(run.metrics, FIRST)

    def test_a_new_head(self):
        for flags in (["--n_classes", CLASSES + 1], ["--use_fpn"]):
            data = [*self.folder_flags(), *flags]
            run = self.train(*self.MERGE, *flags)
            self.line(run.result, f"the head of {FIRST} is ", "a new one", "its LoRA is merged into the backbone")
            self.assertEqual(lora_of(run.tensors), lora_of(self.start.tensors))
            if "--use_fpn" not in flags:
                self.assert_evaluates(run.metrics, data=data)

    def test_every_command_takes_it(self):
        self.train(*self.MERGE, *STILL)
        self.assertIn("rank 2 in 4 blocks", self.succeed("info", "output/run.pt").stdout)
        image = next((self.data / "images" / "val").iterdir())
        for name in (FIRST, "output/run.pt"):
            self.succeed("features", image, *model_flags(DINOV2), "--lora_weights", name, "--output", "f.safetensors", "--overwrite")
            self.succeed("predict", image, *model_flags(DINOV2), "--lora_weights", name, "--save_logits", "--output_dir", "p", "--overwrite")
            found = [read_safetensors(self.folder / "f.safetensors"), (self.folder / "p" / f"{image.stem}.safetensors").read_bytes()]
            if name == FIRST:
                expected = found
        self.assertEqual(found, expected)

    def test_kept_features(self):
        """They are the merged backbone's, and of nothing else."""
        flags = ["--no_shuffle", "--epochs", 3, "--batch_size", 2]
        off = self.train(*self.MERGE, *flags, "--cache_features", "off")
        for place in ("memory", "file"):
            run = self.train(*self.MERGE, *flags, "--cache_features", place, output=place)
            self.assertIn("features are computed once", run.result.stderr)
            self.assertEqual(run.tensors, off.tensors)
            self.assert_evaluates(run.metrics, f"{place}/run.pt", batch_size=2)
        again = self.train("--merge_lora", "--lora_weights", "output/run.pt", "--cache_features", "file", output="file")
        self.assertIn("nothing is computed again", again.result.stderr, "it is the same LoRA")
        for others in ([], ["--merge_lora", "--lora_weights", self.other_lora()]):
            run = self.train(*others, "--cache_features", "file", *flags, output="file")
            self.assertIn("computed anew", run.result.stderr)
        plain = self.train(*flags, "--cache_features", "file", output="file")
        self.assertIn("computed anew", plain.result.stderr)
        self.assertEqual(plain.tensors, self.train(*flags, "--cache_features", "off", output="plain").tensors)

    def other_lora(self):
        """The same but for one number."""
        self.succeed("convert", FIRST, "other.safetensors")
        tensors, metadata = read_safetensors(self.folder / "other.safetensors")
        data = bytearray(tensors["w_b_003"].data)
        data[1] ^= 1
        tensors["w_b_003"] = tensors["w_b_003"]._replace(data=bytes(data))
        write_safetensors(self.folder / "other.safetensors", tensors, metadata)
        return "other.safetensors"

    def test_refusals(self):
        plain = self.train(output="plain").result
        self.assertEqual(error_lines(plain.stderr), [])
        for status, flags, mentions in (
            (2, ["--merge_lora"], ["--merge_lora", "--lora_weights"]),
            (2, [*self.MERGE, "--use_lora"], ["--merge_lora", "--use_lora"]),
            (2, [*self.MERGE, "--lr_lora", 2], ["--lr_lora"]),
            (1, [*self.MERGE, "--r", 3], [FIRST, "rank 2", "--r says 3"]),
            (1, ["--merge_lora", "--lora_weights", "plain/run.pt"], ["plain/run.pt", "no LoRA", "--merge_lora"]),
            (1, ["--lora_weights", FIRST, "--no_use_lora"], [FIRST, "--no_use_lora", "--merge_lora"]),
        ):
            with self.subTest(flags):
                self.refused(*self.train_command(*flags), status=status, mentions=mentions)

    def test_typed_beside_a_configuration(self):
        """What is typed about LoRA takes the place of all that the file says of it."""
        lora = ["--config", "first/run_config.json", "--lora_weights", FIRST, "--exp_name", "run", "--overwrite"]
        self.succeed("train", *lora, "--merge_lora", *STILL)
        self.assertEqual(self.read_run().tensors, self.start.tensors)
        merged = ["--config", "output/run_config.json", "--exp_name", "next", "--overwrite", "--lr", 1e-2]
        for flag, stays in (("--use_lora", False), ("--no_merge_lora", False), ("--ema=0.5", True)):
            self.succeed("train", *merged, flag)
            tensors = self.read_run(name="next").tensors
            self.assertEqual(lora_of(tensors) == lora_of(self.start.tensors), stays, flag)
            self.assertNotEqual(head_of(tensors), head_of(self.start.tensors))

    def test_info_plans_it(self):
        plans = []
        for flags in ([], ["--merge_lora"]):
            self.succeed("info", FIRST, "--memory", *flags, "--json", "plan.json")
            plans.append(self.read_json("plan.json"))
        self.assertEqual(plans[0]["eval"], plans[1]["eval"])
        self.assertLess(plans[1]["train"]["planned_memory_bytes"], plans[0]["train"]["planned_memory_bytes"])
        self.assertEqual(plans[1]["train"]["backward_weights_bytes"], 0)
        head = sum(len(values(tensor)) for tensor in head_of(self.start.tensors).values())
        self.assertEqual(plans[1]["train"]["trained_parameters"], head)
        self.refused("info", DINOV2.weights, "--memory", "--merge_lora", mentions=["--merge_lora"])
        self.refused("info", FIRST, "--merge_lora", status=2, mentions=["--merge_lora", "--memory"])


class Resumed(GoingOnTest):
    """A run that began from another model, stopped after each of a few steps, ends with the bits of one that was not."""

    def begin(self):
        """(what the first run is, what goes on from it)"""
        lora, head = ["--use_lora", "--r", 2], []
        more = ["--ema", 0.9, "--accumulate", 2, "--keep_checkpoints", "all", "--val_every", 1]
        return (
            (lora, ["--n_classes", CLASSES + 1, *more]),
            (lora, ["--use_fpn", "--grad_clip", 1]),
            (head, ["--use_lora", *more]),
            (lora, ["--merge_lora", *more]),
            (lora, ["--merge_lora", "--n_classes", CLASSES + 1, "--cache_features", "file"]),
        )

    def test_the_same_bits(self):
        for first, flags in self.begin():
            with self.subTest(flags):
                for folder in ("whole", "parts"):
                    shutil.rmtree(self.folder / folder, ignore_errors=True)
                self.first(*first)
                flags = ["--lora_weights", FIRST, "--epochs", 3, "--batch_size", 2, *flags]
                whole = self.train(*flags, output="whole")
                for steps in (2, 4, 5):
                    self.train(*flags, "--max_steps", steps, *(["--resume"] if steps > 2 else []), output="parts")
                run = self.train(*flags, "--resume", output="parts")
                self.assertEqual(run.tensors, whole.tensors)
                self.assertEqual([row["loss"] for row in run.steps], [row["loss"] for row in whole.steps])
                self.assertEqual((self.folder / "parts" / "run.pt").read_bytes(), (self.folder / "whole" / "run.pt").read_bytes())
                states = [read_safetensors(self.folder / name / "run.state")[0] for name in ("whole", "parts")]
                for state in states:
                    del state["validations"]  # one more at each stop
                self.assertEqual(*states)
                self.assertEqual(read_checkpoint(self.folder / "parts" / "run_best.pt")[1], run.record)
                again = self.succeed("train", "--config", "whole/run_config.json", "--exp_name", "again")
                self.assertEqual(error_lines(again.stderr), [])
                self.assertEqual((self.folder / "output" / "again.pt").read_bytes(), (self.folder / "whole" / "run.pt").read_bytes())
                shutil.rmtree(self.folder / "output")

    def test_over_the_checkpoint_that_it_began_from(self):
        """The file of the LoRA then is the run's own, which has the same LoRA."""
        flags = ["--merge_lora", "--lora_weights", FIRST, "--epochs", 3]
        self.first("--use_lora")
        whole = self.train(*flags)
        self.first(*flags, "--max_steps", 3)
        run = self.first(*flags, "--resume")
        self.assertEqual(run.tensors, whole.tensors)

    def test_another_lora(self):
        self.first("--use_lora", "--lr", 1e-2)
        self.train("--use_lora", "--seed", 3, "--lr", 1e-2, output="other")
        self.train("--merge_lora", "--lora_weights", FIRST, "--max_steps", 1)
        for flags in (
            ["--merge_lora", "--lora_weights", "other/run.pt"],
            ["--lora_weights", FIRST],
            ["--use_lora"],
            [],
        ):
            self.refused(*self.train_command(*flags, "--resume"), mentions=["--r was 3, merged"])


if __name__ == "__main__":
    main()
