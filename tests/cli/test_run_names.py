"""How a run's files are called: what is not overwritten, names that nobody types, equal bytes, and what failing runs leave."""

import signal

import event_records
from interrupting import InterruptTest
from support import DINOV2, FIXTURES, LINEAR, TIMEOUT, contents, files_in, main, model_flags
from training import plain


class NameTest(InterruptTest):
    def command(self, *flags, folder="output"):
        return ["train", *self.folder_flags(), *model_flags(DINOV2), "--output_dir", folder, "--epochs", 1,
                "--batch_size", 3, *plain(flags), *flags]  # fmt: skip

    def checkpoints(self, folder="output"):
        """Of each run the last one."""
        return [name for name in files_in(self.folder / folder) if name.endswith(".pt") and not name.endswith("_best.pt")]


class Overwriting(NameTest):
    def test_another_run_is_not_overwritten(self):
        self.succeed(*self.command("--exp_name", "a"))
        before = contents(self.folder / "output")
        for name in ("a.pt", "a.state", "a_best.pt", "a_metrics.json", "a_steps.csv", "a_report.html"):
            self.refused(*self.command("--exp_name", "a"), mentions=["output/a", "is there already", "--overwrite", "--exp_name"])
            self.assertEqual(contents(self.folder / "output"), before)
            (self.folder / "output" / name).unlink()
            before = contents(self.folder / "output")
        self.succeed(*self.command("--exp_name", "a"))  # a configuration alone is no run

    def test_overwrite(self):
        self.succeed(*self.command("--exp_name", "a"))
        before = contents(self.folder / "output")
        self.succeed(*self.command("--exp_name", "a", "--seed", 1, "--overwrite"))
        after = contents(self.folder / "output")
        events = {"a_tb/" + path.name for path in event_records.paths(self.folder / "output" / "a_tb")}
        self.assertEqual(set(after), {name for name in before if not name.startswith("a_tb/")} | events)
        self.assertEqual(len(events), 1)
        self.assertNotEqual(before["a.pt"], after["a.pt"])

    def test_a_checkpoint_that_is_gone_on_from(self):
        self.succeed(*self.command("--exp_name", "a"))
        again = ["--lora_weights", "output/a.pt", "--exp_name", "a"]
        self.refused(*self.command(*again), mentions=["output/a.pt", "--overwrite"])
        self.succeed(*self.command(*again, "--overwrite"))

    def test_runs_that_are_called_as_checkpoints_of_another(self):
        self.succeed(*self.command("--exp_name", "a_e1"))
        self.succeed(*self.command("--exp_name", "b_best"))
        before = contents(self.folder / "output")
        self.refused(*self.command("--exp_name", "a", "--keep_checkpoints", 1), mentions=["output/a_e1.pt", "another run", "--exp_name"])
        self.refused(*self.command("--exp_name", "b", "--overwrite"), mentions=["output/b_best.pt", "another run", "--output_dir"])
        self.assertEqual(contents(self.folder / "output"), before)
        self.succeed(*self.command("--exp_name", "a"))  # which writes no a_e1.pt
        self.assertEqual(contents(self.folder / "output")["a_e1.pt"], before["a_e1.pt"])

    def test_a_run_that_goes_on_is_not_another(self):
        self.succeed(*self.command("--epochs", 2, "--max_steps", 1, "--exp_name", "a"))
        self.refused(*self.command("--epochs", 2, "--exp_name", "a"), mentions=["--resume", "--overwrite"])
        self.succeed(*self.command("--epochs", 2, "--exp_name", "a", "--resume"))
        self.succeed(*self.command("--epochs", 2, "--exp_name", "b"))
        files = contents(self.folder / "output")
        self.assertEqual(files["a.pt"], files["b.pt"])


class DefaultNames(NameTest):
    def test_resuming(self):
        """The newest, where no name is typed; without one, auto begins a run."""
        self.refused(*self.command("--resume"), mentions=["nothing to resume in output"])
        self.assertFalse((self.folder / "output").exists())
        self.succeed(*self.command("--epochs", 2, "--max_steps", 1, "--resume", "auto"))
        self.succeed(*self.command("--epochs", 2, "--resume", "auto"))
        self.assertEqual(self.checkpoints(), ["folder_128x4_linear.pt"])
        self.assertEqual(len(self.read_run(name="folder_128x4_linear").steps), 4)

    def test_what_is_trained(self):
        self.succeed(*self.command())
        self.succeed(*self.command("--use_fpn"))
        self.succeed(*self.command())
        self.succeed(*self.command("--seed", 1))
        names = [f"folder_128x4_{end}" for end in ("fpn", "linear", "linear_2", "linear_3")]
        self.assertEqual(self.checkpoints(), [f"{name}.pt" for name in names])
        for name in names:
            config = self.read_run(name=name).config
            self.assertEqual((config["exp_name"], config["use_fpn"]), (name, "fpn" in name))

    def test_overwrite_takes_the_first(self):
        self.succeed(*self.command())
        self.succeed(*self.command("--overwrite", "--seed", 1))
        self.assertEqual(self.checkpoints(), ["folder_128x4_linear.pt"])

    def test_reference_recipes(self):
        for recipe in ("reference", "reference-2025-08"):
            self.succeed(*self.command("--recipe", recipe, folder=recipe))
            self.assertIn("lora.pt", self.checkpoints(recipe))
            self.refused(*self.command("--recipe", recipe, folder=recipe), mentions=["lora.pt", "--overwrite"])

    def test_while_another_run_has_it(self):
        process = self.start(self.command("--epochs", 100000, "--batch_size", 1, "--use_lora"))
        self.wait_for(process, r"^epoch 1/\d+ 1/")
        self.succeed(*self.command())
        self.assertIn("folder_128x4_linear_2.pt", self.checkpoints())
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        process.wait(timeout=TIMEOUT)

    def test_many_at_once(self):
        processes = [self.start(self.command()) for _ in range(4)]
        for process in processes:
            stderr = process.stderr.read()
            self.assertEqual(process.wait(timeout=TIMEOUT), 0, stderr)
        self.assertEqual(self.checkpoints(), [f"folder_128x4_linear{end}.pt" for end in ("", "_2", "_3", "_4")])

    def test_corrupt_has_the_checkpoint_s(self):
        for recipe in ("default", "reference"):
            self.succeed("corrupt", "--dataset", "folder", "--data_root", self.data, "--recipe", recipe,
                         *model_flags(DINOV2), "--lora_weights", LINEAR, "--output_dir", recipe,
                         "--corruptions", "contrast", "--severity", 1)  # fmt: skip
            self.assertEqual(files_in(self.folder / recipe)[0], "after5_lora_linear_corruptions.csv")


class EqualBytes(NameTest):
    def test_whatever_the_name(self):
        for name in ("a", "a-longer-name"):
            self.succeed(*self.command("--exp_name", name))
        files = contents(self.folder / "output")
        self.assertEqual(files["a.pt"], files["a-longer-name.pt"])
        self.assertEqual(files["a_metrics.json"], files["a-longer-name_metrics.json"])


class Failing(NameTest):
    def test_no_folder_is_left(self):
        image = next((self.data / "images" / "val").iterdir())
        missing = ["--lora_weights", "missing.pt", "--output_dir", "new/deep"]
        seed = FIXTURES / "seed_checkpoints" / "dinov3" / "large_voc_lora.pt"
        before = sorted(self.folder.iterdir())
        for command in (
            self.command("--data_root", "missing", folder="new/deep"),
            self.command("--weights", "missing.pt", folder="new/deep"),
            self.command("--exp_name", "more/a", "--weights", "missing.pt", folder="new/deep"),
            self.command("--lora_weights", seed, folder="new"),
            ["predict", image, *model_flags(DINOV2), *missing],
            ["corrupt", "--dataset", "folder", "--data_root", self.data, *model_flags(DINOV2), *missing],
            ["pca", image, "--weights", "missing.pt", "--output_dir", "new/deep"],
            ["features", image, "--weights", "missing.pt", "--output", "new/deep/f.safetensors"],
            ["convert", "missing.pt", "new/deep/b.pt"],
            ["corrupt-images", "missing.png", "--corruptions", "fog", "--output_dir", "new"],
            ["eval", "--dataset", "folder", "--data_root", self.data, *model_flags(DINOV2), "--lora_weights",
             "missing.pt", "--metrics_json", "new/m.json"],
        ):  # fmt: skip
            self.refused(*command)
            self.assertEqual(sorted(self.folder.iterdir()), before, command)

    def test_nothing_is_written_elsewhere(self):
        home = self.folder / "home"
        home.mkdir()
        self.succeed(*self.command("--debug"), variables={"HOME": home, "XDG_CACHE_HOME": "", "XDG_DATA_HOME": ""})
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["data", "home", "output"])
        self.assertEqual(list(home.iterdir()), [])

    def test_a_folder_that_was_there_stays(self):
        (self.folder / "output").mkdir()
        self.refused(*self.command("--weights", "missing.pt"))
        self.assertEqual(files_in(self.folder / "output"), [])
        self.assertTrue((self.folder / "output").is_dir())


if __name__ == "__main__":
    main()
