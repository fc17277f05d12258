"""--resume: a run that was stopped, or killed, goes on to the same bits as one that was not."""

import contextlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import time

from datasets import make_folder
from event_records import Events
from interrupting import InterruptTest
from support import DINOV2, DINOV3, contents, file_size_limit, leftovers, main, run_program
from tensor_files import read_safetensors
from training import CLASSES

# How many runs are killed; scripts/kill_runs.sh asks for more.
KILLS = int(os.environ.get("DINOFT_KILLS", "20"))

SETTINGS = {
    "lora": ["--use_lora", "--rope_rescale", 2],
    "lora layers": ["--use_lora", "--lora_targets", "k,v,proj,fc1,fc2", "--lora_dropout", 0.3],
    "lora blocks": ["--use_lora", "--lora_blocks", "last:2", "--lora_alpha", 8, "--rslora", "--lora_plus", 4, "--use_fpn"],
    "dora": ["--use_lora", "--dora", "--lora_targets", "q,proj,fc2", "--lora_dropout", 0.3, "--recompute", "--accumulate", 2, "--ema", 0.5],
    "fpn": ["--use_fpn", "--ema", 0.9, "--accumulate", 2, "--grad_clip", 1],
    "both": ["--use_lora", "--use_fpn", "--ema", 0.5, "--schedule", "cosine", "--warmup_steps", "20%"],
    "multi": ["--use_lora", "--decoder", "multi", "--decoder_layers", "even", "--head_norm", "bn", "--head_dropout", 0.3, "--ema", 0.5],
    "mlp": ["--decoder", "mlp", "--accumulate", 2],
    "dropout": ["--head_dropout", 0.2, "--accumulate", 2],
    "augmented": ["--use_lora", "--augment", "strong", "--augment_scale", 0.7, 1.5, "--crop_class_balance"],
    "ratio": ["--use_lora", "--augment", "flip", "--resize", "short", "--class_weights", "auto"],
    "views": ["--augment", "standard", "--cache_views", 3, "--cache_features", "memory"],
    "features": ["--cache_features", "file"],
    "reference": ["--recipe", "reference", "--warmup_epochs", 2, "--use_lora"],
}


def shown_by_tensorboard(folder):
    """Steps and values of all curves but for those of time and memory, and the pictures."""
    events = Events(folder)
    return {tag: [(step, str(value)) for step, value, _ in points] for tag, points in events.scalars.items()
            if "per_second" not in tag and not tag.startswith("memory/")}  # fmt: skip


class ResumeTest(InterruptTest):
    maxDiff = 1000

    def command(self, *flags, output="output", backbone=DINOV3, epochs=4):
        """Five images, so three steps an epoch."""
        return self.train_command("--epochs", epochs, "--batch_size", 2, "--val_every", 2, *flags, backbone=backbone, output=output)

    def whole_run(self, *flags, **options):
        self.succeed(*self.command(*flags, output="whole", **options))

    def lines(self, output="output"):
        path = self.folder / output / "run_steps.csv"
        return path.read_text().count("\n") if path.exists() else 0

    def stop_after(self, lines, number, *flags, **options):
        process = self.start(self.command(*flags, **options))
        while process.poll() is None and self.lines() < lines:
            time.sleep(0.002)
        if process.poll() is None:
            process.send_signal(number)
        stderr = process.communicate()[1]
        return process.returncode, stderr

    def resume(self, *flags, **options):
        return self.succeed(*self.command(*flags, "--resume", **options))

    def assert_same(self, whole="whole", output="output", curves=True, page=True):
        for name in ("run.pt", "run_best.pt", "run_metrics.json"):
            self.assertEqual((self.folder / whole / name).read_bytes(), (self.folder / output / name).read_bytes(), name)
        states = [read_safetensors(self.folder / folder / "run.state") for folder in (whole, output)]
        for tensors, texts in states:
            for parts in (tensors, texts):
                for name in [name for name in parts if name.startswith("page.") and not page]:
                    del parts[name]
            # How often it was saved, how fast it was, how often it was begun, and the digest of that.
            del texts["checkpoint_before"], texts["steps_bytes"], texts["content"]
            texts.pop("tensorboard_events", None)
            texts.pop("tensorboard_file", None)
        self.assertEqual(*states)
        runs = [self.read_run(output=folder).steps for folder in (whole, output)]
        for rows in runs:
            for row in rows:
                del row["images_per_second"]
        self.assertEqual(*runs)
        if curves:
            self.assert_same_curves(*[shown_by_tensorboard(self.folder / folder / "run_tb") for folder in (whole, output)])
        self.assertEqual(leftovers(self.folder / output), [])


    def assert_same_curves(self, whole, resumed):
        """That of the steps, and no step twice. A validation of an epoch that --max_steps has cut is shown as well."""
        self.assertEqual(resumed.keys(), whole.keys())
        for tag, points in resumed.items():
            self.assertEqual(len({step for step, _ in points}), len(points), (tag, points))
            self.assertEqual(set(whole[tag]) - set(points), set(), tag)
            if tag.startswith(("train/", "epoch/")):
                self.assertEqual(points, whole[tag], tag)


class Signals(ResumeTest):
    def test_all_settings(self):
        for name, flags in SETTINGS.items():
            with self.subTest(name):
                shutil.rmtree(self.folder / "output", ignore_errors=True)
                backbone = DINOV2 if name == "features" else DINOV3
                self.whole_run(*flags, backbone=backbone)
                status, stderr = self.stop_after(3, signal.SIGTERM, *flags, backbone=backbone)
                self.assertIn(status, (143, 0), stderr)
                if status == 143:
                    self.assertIn("--resume goes on", stderr)
                    self.resume(*flags, "--num_workers", 3, backbone=backbone)
                self.assert_same()

    def test_each_signal_has_its_status(self):
        for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            shutil.rmtree(self.folder / "output", ignore_errors=True)
            status, stderr = self.stop_after(2, number, epochs=1000)
            self.assertEqual(status, expected, stderr)


class Kills(ResumeTest):
    def killed(self, name, *flags, output):
        return self.command(*SETTINGS[name], *flags, output=output, backbone=DINOV2 if name == "features" else DINOV3)

    def check(self, name):
        """The run is whole, or goes on until it is; the next one of the name begins anew."""
        self.succeed(*self.killed(name, "--resume", "auto", output=name))
        self.assert_same(f"whole-{name}", name)
        shutil.rmtree(self.folder / name)

    def test_at_random_moments(self):
        """Every step is saved, so that most kills come while something is written."""
        moments, kills = random.Random(), 0
        for name in SETTINGS:
            self.succeed(*self.killed(name, output=f"whole-{name}"))
        for name in itertools.cycle(SETTINGS):
            process = self.start(self.killed(name, "--save_every", 1e-9, "--resume", "auto", output=name))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0.05, 0.6))
            process.kill()
            stderr = process.communicate()[1]
            self.assertIn(process.returncode, (0, -signal.SIGKILL), stderr)
            kills += process.returncode != 0
            if process.returncode == 0:
                self.check(name)
            if kills >= KILLS:
                break
        for name in SETTINGS:
            self.check(name)


class Pairs(ResumeTest):
    def setUp(self):
        super().setUp()
        self.succeed(*self.command("--max_steps", 4))
        self.output = self.folder / "output"

    def refuse(self, *flags, mentions=()):
        before = contents(self.output)
        self.refused(*self.command("--resume", *flags), mentions=mentions)
        self.assertEqual(contents(self.output), before)

    def test_more_steps(self):
        self.whole_run("--max_steps", 8)
        self.resume("--max_steps", 8)
        self.assert_same()

    def test_from_a_copy_elsewhere(self):
        self.whole_run()
        shutil.copytree(self.output, self.folder / "elsewhere")
        self.resume(output="elsewhere")
        self.assert_same(output="elsewhere")

    def test_with_all_that_it_reads_elsewhere(self):
        """From another folder, by relative paths."""
        self.whole_run()
        there = self.folder / "elsewhere"
        shutil.copytree(self.output, there / "output")
        shutil.copytree(self.data, there / "pictures")
        shutil.copy(DINOV3.weights, there)
        moved = ["--data_root", "pictures", "--weights", DINOV3.weights.name]
        result = run_program(*self.command("--resume", *moved), cwd=there)
        self.assertEqual(result.status, 0, result.stderr)
        self.assert_same(output="elsewhere/output")

    def test_without_the_checkpoint(self):
        self.whole_run()
        (self.output / "run.pt").unlink()
        self.resume()
        self.assert_same()

    def test_a_checkpoint_of_another_run(self):
        self.succeed(*self.command("--max_steps", 4, "--seed", 5, output="other"))
        shutil.copy(self.folder / "other" / "run.pt", self.output / "run.pt")
        self.refuse(mentions=["run.state", "run.pt", "another run"])

    def test_logs_are_cut_back(self):
        self.whole_run()
        with open(self.output / "run_steps.csv", "a") as stream:
            stream.write("7,99,1,1,1,1\n")
        self.resume()
        self.assert_same()

    def test_other_settings(self):
        for flags, mentions in (
            (["--lr", 1], ["--lr was 0.0003", "is 1"]),
            (["--seed", 3, "--grad_clip", 2], ["--seed", "--grad_clip"]),
            (["--use_fpn"], ["the decoder was linear and is fpn"]),
            (["--use_lora"], ["--r was 0"]),
            (["--augment", "standard"], ["--augment was none and is standard, scale 0.5 to 2"]),
            (["--resize", "short"], ["--augment was none and is none, resize short"]),
            (["--batch_size", 4, "--accumulate", 2], ["--batch_size", "--accumulate"]),
        ):
            with self.subTest(flags):
                self.refuse(*flags, mentions=["run.state", *mentions])

    def test_other_data(self):
        self.data = make_folder(self.folder / "data2", n_classes=CLASSES, train=7)
        self.refuse(mentions=["the training images"])

    def test_a_replaced_file(self):
        (mask, *others) = sorted((self.data / "masks" / "val").iterdir())
        shutil.copy(others[0], mask)
        self.refuse(mentions=["the validation images"])

    def test_other_class_names(self):
        names = self.folder / "names"
        names.write_text("".join(f"name {i}\n" for i in range(CLASSES)))
        self.refuse("--class_names", names, mentions=["the class names"])

    def test_another_backbone(self):
        self.refused(*self.command("--resume", backbone=DINOV2), mentions=["the backbone"])

    def test_damage(self):
        """Wherever it is, nothing is written."""
        content = (self.output / "run.state").read_bytes()

        def flipped(place):
            return content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]

        for damaged in (b"", content[:40], content[:-1], content.replace(b'"step":"4"', b'"step":"x"'),
                        content.replace(b'"dinoft.state":"3"', b'"dinoft.state":"9"'),
                        content.replace(b'"content":', b'"contend":'),
                        content.replace(b"m.classifier", b"x.classifier"),
                        flipped(len(content) - 1), flipped(len(content) // 2), flipped(content.index(b'"step":') + 8)):  # fmt: skip
            with self.subTest(len(damaged)):
                self.assertNotEqual(damaged, content)
                (self.output / "run.state").write_bytes(damaged)
                self.refuse(mentions=["run.state"])

    def test_longer_with_a_constant_rate(self):
        self.whole_run(epochs=5)
        self.resume(epochs=3)
        self.resume(epochs=5)
        self.assert_same()


class Schedules(ResumeTest):
    def test_another_length(self):
        cosine = ["--schedule", "cosine", "--lr", 0.01]
        self.succeed(*self.command(*cosine, epochs=2))
        self.refused(*self.command(*cosine, "--resume", epochs=4), mentions=["schedule's length", "--restart_schedule"])
        self.resume(*cosine, "--restart_schedule", epochs=4)
        rates = [float(row["lr"]) for row in self.read_run().steps]
        self.assertEqual(len(rates), 12)
        self.assertEqual(rates[:6], rates[6:], "the same curve, anew")

    def test_a_restart_by_epoch(self):
        """Behind a whole epoch it begins with the next one."""
        reference = ["--recipe", "reference", "--warmup_epochs", 1]
        self.succeed(*self.command(*reference, epochs=3))
        self.resume(*reference, "--restart_schedule", epochs=6)
        rates = [float(row["lr"]) for row in self.read_run().steps]
        self.assertEqual(rates[:9], rates[9:])
        flags = [*reference, "--warmup_epochs", 3, "--restart_schedule"]
        self.refused(*self.command(*flags, "--resume", epochs=8), mentions=["warm-up of 3", "2 epochs that are left"])

    def test_a_restart_alone(self):
        self.refused(*self.command("--restart_schedule"), status=2, mentions=["--restart_schedule", "--resume"])


class Ends(ResumeTest):
    """A run that has ended stays so."""

    def test_an_early_stop(self):
        flags = ["--lr", 1e-30, "--early_stop", 1, "--val_every", 1]
        self.succeed(*self.command(*flags))
        for _ in range(2):
            self.assertIn("stopped early", self.resume(*flags).stderr)
            self.assertEqual(len(self.read_run().steps), 6)
        self.resume(*flags, "--early_stop", 5)
        self.assertEqual(len(self.read_run().steps), 12)

    def test_max_steps(self):
        self.succeed(*self.command("--max_steps", 3))
        self.resume("--max_steps", 3)
        self.assertEqual(self.read_run().metrics["val_epoch"], [1])
        self.refused(*self.command("--resume", "--max_steps", 2), mentions=["has done 3 steps", "--max_steps is 2"])
        self.whole_run()
        self.resume()
        self.assert_same()

    def test_fewer_epochs(self):
        self.succeed(*self.command(epochs=3))
        before = contents(self.folder / "output")
        self.refused(*self.command("--resume", epochs=2), mentions=["has begun 3 epochs, --epochs is 2"])
        self.assertEqual(contents(self.folder / "output"), before)
        self.resume(epochs=3)

    def test_the_best_of_a_cut_epoch(self):
        """It counts until the run goes on, which then is as one that was never cut."""
        flags = ["--use_lora", "--lr", 0.03, "--seed", 1, "--val_every", 1, "--best_metric", "loss", "--keep_checkpoints", 2]
        self.whole_run(*flags)
        self.succeed(*self.command(*flags, "--max_steps", 2))
        self.assertEqual(self.checkpoints("output"), ["run.pt", "run_best.pt"])
        for steps, best in ((4, 2), (8, 3), (8, 3)):
            self.assertIn(f"the best epoch was {best}/4", self.resume(*flags, "--max_steps", steps).stderr)
            checkpoints = contents(self.folder / "output")
            self.assertEqual(checkpoints["run_best.pt"], checkpoints["run.pt"])
        self.assertIn("the best epoch was 2/4", self.resume(*flags).stderr)
        self.assert_same()
        self.assertEqual(self.checkpoints("output"), self.checkpoints("whole"))

    def checkpoints(self, folder):
        return [name for name in contents(self.folder / folder) if name.endswith(".pt")]

    def test_stopped_again_at_once(self):
        """In what is left to do at an epoch's end, a validation or nothing."""
        status, _ = self.stop_after(3, signal.SIGTERM)
        while status == 143:
            process = self.start(self.command("--resume"))
            for line in process.stderr:
                if "resumed after" in line:
                    process.send_signal(signal.SIGTERM)
                    break
            process.stderr.read()
            status = process.wait()
            if status == 143 and random.random() < 0.3:
                status = self.run_here(*self.command("--resume")).status
        self.whole_run()
        self.assert_same()

    def test_without_the_log_of_steps(self):
        self.succeed(*self.command("--max_steps", 4))
        (self.folder / "output" / "run_steps.csv").unlink()
        self.assertIn("run_steps.csv is not there", self.resume().stderr)
        self.assertEqual([row["step"] for row in self.read_run().steps], [str(step) for step in range(5, 13)])


class Choice(ResumeTest):
    def test_nothing_to_resume(self):
        self.refused(*self.command("--resume"), mentions=["nothing to resume", "run.state", "--resume auto"])
        self.succeed(*self.command("--resume", "auto"))

    def test_logs_of_a_run_that_was_killed_early(self):
        self.succeed(*self.command("--max_steps", 1))
        for name in ("run.pt", "run.state", "run_best.pt", "run_metrics.json"):
            (self.folder / "output" / name).unlink()
        command = [word for word in self.command() if word != "--overwrite"]
        self.refused(*command, "--resume", mentions=["nothing to resume"])
        self.refused(*command, mentions=["--overwrite"])
        self.succeed(*command, "--resume", "auto")
        self.assertEqual(len(self.read_run().steps), 12)

    def unnamed(self, *flags):
        return [word for word in self.command(*flags) if word not in ("--exp_name", "run", "--overwrite")]

    def steps(self, name):
        return len(self.read_run(name=name).steps)

    def test_the_newest(self):
        for steps, name in ((1, "older"), (2, "newer")):
            self.succeed(*self.command("--exp_name", name, "--max_steps", steps))
        self.succeed(*self.command("--exp_name", "another", "--max_steps", 1, "--lr", 1))
        self.assertIn("is newer", self.succeed(*self.unnamed(), "--resume").stderr)
        self.assertEqual([self.steps(name) for name in ("older", "newer", "another")], [1, 12, 1])

    def test_the_newest_is_damaged(self):
        """One that is no state is told of. What fits and is damaged behind its head is not passed over."""
        for name in ("older", "newer"):
            self.succeed(*self.command("--exp_name", name, "--max_steps", 1))
        state = self.folder / "output" / "newer.state"
        content = state.read_bytes()
        state.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        before = contents(self.folder)
        self.refused(*self.unnamed("--resume"), mentions=["newer.state", "damaged"])
        self.assertEqual(contents(self.folder), before)
        state.write_bytes(content[:100])
        stderr = self.succeed(*self.unnamed("--resume")).stderr
        self.assertRegex(stderr, "warning: output/newer.state.*damaged")
        self.assertIn("is older", stderr)

    def test_none_fits(self):
        for rate in (1, 2):
            self.succeed(*self.command("--exp_name", f"rate{rate}", "--max_steps", 1, "--lr", rate))
        before = contents(self.folder)
        mentions = ["no run in output", "the newest", "rate2.state", "--lr was 2 and is 0.0003", "--resume auto"]
        self.refused(*self.unnamed("--resume"), mentions=mentions)
        self.assertEqual(contents(self.folder), before)
        self.assertRegex(self.succeed(*self.unnamed("--resume", "auto")).stderr, "--lr was 2 and is 0.0003: a new run begins")
        self.assertEqual(self.steps("folder_128x4_linear"), 12)

    def test_none_fits_and_the_recipe_names_the_run(self):
        command = self.unnamed("--recipe", "reference-2025-08", "--resume", "auto")
        self.succeed(*command)
        self.refused(*command, "--lr", 1, mentions=["lora.pt", "is there already", "--overwrite"])
        self.assertIn("a new run begins", self.succeed(*command, "--lr", 1, "--overwrite").stderr)
        self.assertEqual(float(self.read_run(name="lora").steps[0]["lr"]), 1)

    def test_a_new_run_is_no_continuation(self):
        """Its own state takes the place of the older one from the first."""
        self.succeed(*self.command("--max_steps", 2))
        self.whole_run("--seed", 8)
        self.succeed(*self.command("--seed", 8))
        self.assert_same()

    def test_two_at_once(self):
        self.succeed(*self.command("--max_steps", 1))
        process = self.start(self.command("--resume", epochs=1000))
        while self.lines() < 5:
            time.sleep(0.002)
        self.refused(*self.command("--resume"), mentions=["being written"])
        process.send_signal(signal.SIGTERM)
        process.communicate()


class Saving(ResumeTest):
    def test_what_is_in_it(self):
        self.succeed(*self.command("--use_lora", "--ema", 0.5))
        tensors = read_safetensors(self.folder / "output" / "run.state")[0]
        for prefix in ("", "raw.", "m.", "v."):
            self.assertEqual(tensors[f"{prefix}w_a_000"].shape, tensors["w_a_000"].shape)
        checkpoint = self.read_run().tensors
        self.assertEqual(tensors["w_a_000"].data, checkpoint["w_a_000"].data)
        self.assertNotEqual(tensors["raw.w_a_000"].data, checkpoint["w_a_000"].data)

    def test_a_full_disk_in_between(self):
        """A line says so, and what was saved before is whole."""
        self.succeed(*self.command("--use_lora", "--max_steps", 3))
        before = (self.folder / "output" / "run.state").read_bytes()
        limit = 20000
        self.assertGreater(len(before), 2 * limit)
        command = self.command("--use_lora", "--resume", "--save_every", 1e-9)
        result = self.run_here(*command, preexec_fn=file_size_limit(limit))
        self.assertEqual(result.status, 1)
        self.assertIn("is not saved", result.stderr)
        self.assertEqual((self.folder / "output" / "run.state").read_bytes(), before)
        self.whole_run("--use_lora")
        self.resume("--use_lora")
        self.assert_same()


if __name__ == "__main__":
    main()
