"""What a checkpoint says where no flag does: for training that goes on from it, and for eval and corrupt."""

import json

from datasets import voc_demo
from support import DINOV2, LINEAR, img_dim, main
from tensor_files import read_safetensors, write_safetensors
from training import CLASSES, TrainingTest

VOC = ["--dataset", "voc", "--data_root"]


class RecordedTest(TrainingTest):
    def checkpoint(self):
        return self.folder / "output" / "run.pt"

    def changed_record(self, change):
        """A copy of the run's checkpoint with another record; None: without one."""
        self.succeed("convert", self.checkpoint(), "run.safetensors")
        tensors, metadata = read_safetensors(self.folder / "run.safetensors")
        record = change(json.loads(metadata["dinoft"])) if change else None
        write_safetensors(
            self.folder / "changed.safetensors", tensors, {"dinoft": json.dumps(record)} if record else None
        )
        return self.folder / "changed.safetensors"


class Training(RecordedTest):
    FIRST = ["--use_lora", "--r", 2, "--normalize", "none", *img_dim(70, 98)]

    def go_on(self, *flags, checkpoint=None, data=None):
        """Trains from the checkpoint; no flag chooses the model but those given."""
        result = self.succeed(
            *["train", *(data or self.folder_flags()), "--weights", DINOV2.weights, "--epochs", 1, "--batch_size", 3],
            *["--lora_weights", checkpoint or self.checkpoint(), "--exp_name", "run", "--output_dir", "more", *flags],
        )
        return self.read_run(result, "more")

    def test_lora_size_and_normalisation_are_the_checkpoints(self):
        self.train(*self.FIRST)
        run = self.go_on()
        self.assertEqual((run.config["use_lora"], run.config["r"]), (True, 2))
        self.assertEqual((run.config["img_dim"], run.config["normalize"]), ([70, 98], "none"))
        self.assertEqual((run.record["rank"], run.record["img_dim"]), (2, [70, 98]))
        self.assertIn(
            f"dinoft: taken from {self.checkpoint()}: LoRA of rank 2, image size 70 x 98, normalize none (",
            run.result.stderr,
        )
        self.assertNotIn("other than", run.result.stderr)

    def test_typed_flags_win_and_are_told(self):
        self.train(*self.FIRST)
        run = self.go_on("--use_lora", "--normalize", "imagenet", *img_dim(56, 56))
        self.assertEqual((run.config["img_dim"], run.config["normalize"]), ([56, 56], "imagenet"))
        self.assertIn("rank 2 (", run.result.stderr)
        self.assertIn("image size 56 x 56 (it was 70 x 98), normalize imagenet (it was none)", run.result.stderr)

    def test_the_ratio_is_kept(self):
        self.train("--resize", "short")
        run = self.go_on()
        self.assertEqual((run.config["resize"], run.record["resize"], run.record["augmentation"]), ("short", "short", "none, resize short"))
        self.assertIn("resize short", run.result.stderr)
        run = self.go_on("--resize", "stretch", "--overwrite")
        self.assertIn("resize stretch (it was short)", run.result.stderr)
        self.assertNotIn("resize", run.record)
        self.assertEqual(run.config["resize"], "stretch")

    def test_the_same_typed_again_is_not_spoken_of(self):
        self.train(*self.FIRST)
        stderr = self.go_on(*self.FIRST).result.stderr
        self.assertNotIn("taken from", stderr)
        self.assertNotIn("other than", stderr)

    def test_without_lora(self):
        self.train(*img_dim(70, 98))
        run = self.go_on()
        self.assertEqual((run.config["use_lora"], run.record["rank"]), (False, 0))
        self.assertIn("image size 70 x 98, normalize imagenet (", run.result.stderr)

    def test_without_a_record(self):
        run = self.go_on(*img_dim(70, 98), checkpoint=LINEAR, data=[*VOC, voc_demo()])
        self.assertEqual((run.record["rank"], run.record["normalize"]), (3, "none"))
        self.assertIn("LoRA of rank 3, normalize none, which it does not record", run.result.stderr)

    def test_classes_of_another_data_set(self):
        self.train(data=[*VOC, voc_demo()])
        self.refused(
            *["train", *self.folder_flags(), "--weights", DINOV2.weights, "--lora_weights", self.checkpoint()],
            mentions=[self.checkpoint(), "21 classes of voc", "folder", CLASSES],
        )


class DataSet(RecordedTest):
    """eval and corrupt measure on the data set that the checkpoint was trained on."""

    def command(self, name, *flags, checkpoint=None, root=None):
        more = {"eval": [], "corrupt": ["--corruptions", "contrast", "--severity", 1]}[name]
        return [
            *[name, "--weights", DINOV2.weights, "--lora_weights", checkpoint or self.checkpoint()],
            *["--data_root", root or self.data, *more, *flags],
        ]

    def measured(self, *flags, **options):
        """(metrics, stderr)"""
        result = self.succeed(*self.command("eval", "--metrics_json", "m.json", *flags, **options))
        return self.read_json("m.json"), result.stderr

    def test_voc(self):
        self.train(data=[*VOC, voc_demo()])
        found, stderr = self.measured(root=voc_demo())
        self.assertIn(f"dinoft: data set voc, which {self.checkpoint()} was trained on (--dataset", stderr)
        typed, stderr = self.measured("--dataset", "voc", root=voc_demo())
        self.assertNotIn("data set voc", stderr)
        self.assertEqual(found, typed)

    def test_folder(self):
        names = ["sky", "a house", "tree", "road"]
        (self.folder / "names.txt").write_text("\n".join(names))
        self.train("--class_names", self.folder / "names.txt")
        metrics, stderr = self.measured()
        self.assertIn("data set folder", stderr)
        self.assertEqual([scores["name"] for scores in metrics["per_class"]], names)
        (self.folder / "names.txt").write_text("a\nb\nc\nd\n")
        metrics, _ = self.measured("--class_names", self.folder / "names.txt", "--n_classes", CLASSES)
        self.assertEqual([scores["name"] for scores in metrics["per_class"]], ["a", "b", "c", "d"])

    def test_corrupt(self):
        self.train()
        result = self.succeed(*self.command("corrupt", "--output_dir", "out"))
        self.assertIn("data set folder", result.stderr)
        facts = self.read_json("out/run_corruptions.json")["facts"]
        self.assertEqual(facts["data set"], "folder, 3 images")

    def test_the_ratio_is_kept(self):
        self.train("--resize", "short", *img_dim(70, 98))
        found, stderr = self.measured()
        self.assertIn(f"images keep their ratio, as in the training of {self.checkpoint()} (--resize stretch", stderr)
        typed, stderr = self.measured("--resize", "short")
        self.assertNotIn("keep their ratio", stderr)
        self.assertEqual(found, typed)
        self.assertNotEqual(found, self.measured("--resize", "stretch")[0])

    def test_another_data_set_is_for_who_types_it(self):
        self.train("--n_classes", 21)
        _, stderr = self.measured("--dataset", "voc", root=voc_demo())
        self.assertNotIn("data set", stderr)

    def test_without_a_record_the_number_of_classes_tells(self):
        metrics, stderr = self.measured(*img_dim(*DINOV2.size), checkpoint=LINEAR, root=voc_demo())
        self.assertIn(f"dinoft: data set voc, which has the 21 classes of {LINEAR} (--dataset", stderr)
        self.assertEqual(len(metrics["per_class"]), 21)
        self.train()
        bare = self.changed_record(None)
        for name in ("eval", "corrupt"):
            self.refused(*self.command(name, checkpoint=bare), mentions=[bare, "4 classes", "--dataset", "folder"])

    def test_flags_of_a_folder(self):
        self.train(data=[*VOC, voc_demo()])
        self.refused(
            *self.command("eval", "--n_classes", 21, root=voc_demo()), mentions=["--n_classes", "voc", "21 classes"]
        )

    def test_a_data_set_of_another_version(self):
        self.train()
        other = self.changed_record(lambda record: {**record, "dataset": "cityscapes"})
        self.refused(*self.command("eval", checkpoint=other), mentions=["cityscapes", "folder"])


if __name__ == "__main__":
    main()
