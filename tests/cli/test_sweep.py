"""dinoft sweep: runs of all combinations of lists, one after the other."""

import csv
import shlex
import signal
import statistics

from interrupting import InterruptTest
from support import DINOV2, Page, error_lines, files_in, leftovers, main, model_flags

AGAIN = "nothing is computed again"


class SweepTest(InterruptTest):
    def command(self, *flags):
        """Two epochs of three steps, each validated."""
        return ["sweep", *self.folder_flags(), *model_flags(DINOV2), "--epochs", 2, "--batch_size", 2, "--val_every", 1,
                "--log_dir", "none", *flags]  # fmt: skip

    def rows(self, name="output/run_sweep.csv"):
        with open(self.folder / name, newline="") as stream:
            return list(csv.DictReader(stream))

    def models(self):
        return {path.name: path.read_bytes() for path in (self.folder / "output").glob("*.pt")}


class Runs(SweepTest):
    LISTS = ["--lr", "1e-3,1e-2", "--seed", "0,1"]

    def test_the_product(self):
        """What a run leaves is what its own command line leaves; features are computed once."""
        lines = self.succeed(*self.command(*self.LISTS, "--dry_run")).stdout.splitlines()
        self.assertEqual(files_in(self.folder / "output"), [])
        names = ["run_lr=1e-3_seed=0", "run_lr=1e-3_seed=1", "run_lr=1e-2_seed=0", "run_lr=1e-2_seed=1"]
        self.assertEqual([line.split("--exp_name=")[1].split()[0] for line in lines], names)

        swept = self.succeed(*self.command(*self.LISTS))
        self.assertEqual(swept.stderr.count(AGAIN), 3)
        self.assertEqual(leftovers(self.folder), [])
        for name, line in zip(names, lines):
            config = self.read_json(f"output/{name}_config.json")
            self.assertEqual(config["facts"]["command_line"], shlex.split(line))
        models = self.models()
        self.succeed(*shlex.split(lines[2])[1:], "--output_dir", "alone")
        self.assertEqual((self.folder / "alone" / f"{names[2]}.pt").read_bytes(), models[f"{names[2]}.pt"])

        again = self.succeed(*self.command(*self.LISTS))
        self.assertIn("4 runs, 4 of them finished already", again.stderr)
        self.assertEqual(again.stdout, swept.stdout[swept.stdout.index("\nmIoU") :])
        self.assertEqual(self.models(), models)

        self.check_report(swept.stdout)

    def check_report(self, stdout):
        rows = self.rows()
        best = [float(row["best"]) for row in rows]
        self.assertEqual(best, sorted(best, reverse=True))
        for row in rows:
            metrics = self.read_json(row["run"] + "_metrics.json")
            iou = metrics["val_iou"]
            self.assertAlmostEqual(float(row["best"]), max(iou), 8)
            self.assertEqual(int(row["best_epoch"]), iou.index(max(iou)) + 1)
            self.assertAlmostEqual(float(row["last"]), iou[-1], 8)
            self.assertAlmostEqual(float(row["val_loss"]), metrics["val_loss"][-1], 6)
            group = [float(other["best"]) for other in rows if other["lr"] == row["lr"]]
            self.assertEqual(row["group_runs"], "2")
            self.assertAlmostEqual(float(row["group_mean"]), statistics.mean(group), 8)
            self.assertAlmostEqual(float(row["group_deviation"]), statistics.stdev(group), 8)
            self.assertIn(f"lr={row['lr']} seed={row['seed']}", stdout)
        means = {row["lr"]: float(row["group_mean"]) for row in rows}
        first = max(means, key=means.get)
        table = stdout[stdout.rindex("mIoU, %") :].splitlines()
        self.assertEqual(table[0].split()[2:], ["mean", "sd", "lowest", "highest", "last", "val", "loss", "runs"])
        self.assertEqual(table[1].split()[:2], [f"lr={first}", f"{100 * means[first]:.2f}"])
        page = Page((self.folder / "output" / "run_sweep.html").read_text())
        for text in ("Sweep run: 4 training runs", "Means over seeds", f"{100 * means[first]:.2f}", "Configuration"):
            self.assertIn(text, page.text)
        self.assertEqual([link for link in page.links if not link.startswith(("data:", "#"))], [])

    def test_printed_command_lines_are_for_a_shell(self):
        flags = ["--lora_targets", "q,v;k", "--use_lora", "--data_root", "it's here"]
        lines = self.succeed(*self.command(*flags, "--dry_run")).stdout.splitlines()
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertIn("--data_root=it's here", shlex.split(line))

    def test_from_a_file_and_into_one_cache(self):
        """Sizes do not share features, heads do; LoRA needs none."""
        base = self.succeed("train", *self.folder_flags(), *model_flags(DINOV2), "--epochs", 2, "--print_config").stdout
        (self.folder / "base.json").write_text(base)
        result = self.succeed("sweep", "--config", "base.json", "--exp_name", "heads", "--output_dir", "out", "--img_dim",
                              "112,140;70,70", "--head_norm", "none,bn", "--cache_features", "file")  # fmt: skip
        self.assertEqual(result.stderr.count(AGAIN), 2)
        self.assertEqual([name for name in files_in(self.folder / "out") if name.endswith(".cache")],
                         ["heads_sweep_features.cache"])  # fmt: skip
        self.assertIn("heads_img_dim=70,70_head_norm=bn.pt", files_in(self.folder / "out"))
        result = self.succeed("sweep", "--config", "base.json", "--use_lora=off,on", "--lr", "1e-3,1e-2")
        self.assertEqual(result.stderr.count(AGAIN), 1)
        self.assertEqual({row["use_lora"] for row in self.rows()}, {"on", "off"})
        self.assertEqual({row["group_deviation"] for row in self.rows()}, {""})

    def test_a_run_that_fails(self):
        result = self.run_here(*self.command("--lr", "1e30,1e-3", "--seed", "0,1", "--use_lora"))
        self.assert_one_error(result, 1, "2 of 4 runs have failed", "run_lr=1e30_seed=0", "not finite")
        self.assertEqual(result.stderr.count("warning: the run run_lr=1e30"), 2)
        self.assertIn("(2 failed)", result.stdout)
        rows = self.rows()
        self.assertEqual([row["lr"] for row in rows], ["1e-3", "1e-3", "1e30", "1e30"])
        self.assertEqual([bool(row["best"]) for row in rows], [True, True, False, False])
        self.assertIn("not finite", rows[2]["error"])
        self.assertIn("not finite", Page((self.folder / "output" / "run_sweep.html").read_text()).text)


class GoingOn(SweepTest):
    FLAGS = ["--lr", "1e-3,1e-2", "--use_lora", "--schedule", "cosine", "--precision", "fp32"]

    def test_after_an_interrupt_and_a_kill(self):
        self.succeed(*self.command(*self.FLAGS, "--output_dir", "whole"))
        whole = {path.name: path.read_bytes() for path in (self.folder / "whole").glob("*.pt")}
        process = self.start(self.command(*self.FLAGS))
        stderr = self.interrupt_at(process, "epoch 1/2 2/3")
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted: 0 of 2 runs are finished; the same command goes on", stderr)
        self.assertNotIn("run_sweep.csv", files_in(self.folder / "output"))
        self.refused(*self.command(*self.FLAGS, "--val_every", 2), mentions=["run_lr=1e-3", "another --val_every"])

        process = self.start(self.command(*self.FLAGS, "--save_every", 1e-9))
        stderr = self.interrupt_at(process, "epoch 2/2 1/3.*", signal.SIGTERM)
        self.assertIn("resumed after step", stderr)
        process = self.start(self.command(*self.FLAGS, "--save_every", 1e-9))
        self.wait_for(process, "run 2 of 2")
        self.wait_for(process, "epoch 2/2")
        process.kill()
        process.wait()

        result = self.succeed(*self.command(*self.FLAGS))
        self.assertIn("2 runs, 1 of them finished already", result.stderr)
        self.assertNotIn("run 1 of 2", result.stderr)
        self.assertEqual(self.models(), whole)
        self.assertEqual(len(self.rows()), 2)

    def test_other_settings(self):
        """Nothing is trained where runs of the names are there that cannot go on."""
        self.succeed(*self.command(*self.FLAGS, "--lr", "1e-2,1e-1"))
        models = self.models()
        lists = ["--lr", "1e-3,1e-2"]
        for flags, mention in (
            (["--weight_decay", 0.5], "--weight_decay was 0.01 and is 0.5"),
            (["--epochs", 3], "the schedule's length was 6 steps and is 9 steps"),
            (["--val_every", 2], "another --val_every"),
        ):
            with self.subTest(flags):
                self.refused(*self.command(*self.FLAGS, *lists, *flags), mentions=["run_lr=1e-2", mention])
                self.assertEqual(self.models(), models)
        result = self.succeed(*self.command(*self.FLAGS, *lists))
        self.assertIn("2 runs, 1 of them finished already", result.stderr)
        self.assertNotIn("precision was", result.stderr)
        self.assertEqual(len(self.models()), len(models) + 2)
        result = self.succeed(*self.command(*self.FLAGS, *lists, "--precision", "bf16"))
        self.assertEqual(result.stderr.count("warning: the run's precision was float32 and is bfloat16"), 2)

    def test_what_is_finished(self):
        """However a run came to its end, and not what an interrupt or a lost checkpoint left to do."""
        for i, flags in enumerate((
            ["--max_steps", 2],
            ["--epochs", 6, "--early_stop", 1, "--lr", "1e-9,1e-8"],
            ["--epochs", 2, "--recipe", "reference", "--warmup_epochs", 1, "--batch_size", 2],
        )):  # fmt: skip
            with self.subTest(flags):
                command = self.command("--lr", "1e-3,1e-2", "--exp_name", f"run{i}", *flags)
                self.succeed(*command)
                models = self.models()
                self.assertIn("2 runs, 2 of them finished already", self.succeed(*command).stderr)
                self.assertEqual(self.models(), models)
        (self.folder / "output" / "run0_lr=1e-3.pt").unlink()
        self.assertIn("2 runs, 1 of them", self.succeed(*self.command("--exp_name", "run0", "--lr", "1e-3,1e-2",
                                                                      "--max_steps", 2)).stderr)  # fmt: skip
        self.assertEqual({name: self.models()[name] for name in models}, models)

    def test_an_older_run_of_the_name(self):
        self.succeed(*self.command("--lr", "1e-3,1e-2", "--epochs", 1))
        (self.folder / "output" / "run_lr=1e-2.state").unlink()
        self.refused(*self.command("--lr", "1e-3,1e-2", "--epochs", 1), mentions=["run_lr=1e-2.pt is there already"])


class Refused(SweepTest):
    def check(self, *flags, mentions):
        self.refused(*self.command(*flags), status=2, mentions=mentions)
        self.assertEqual(files_in(self.folder / "output"), [])

    def test_what_makes_no_sweep(self):
        self.check("--lr", "1e-3", mentions=["no flag has a list"])
        self.check("--lr", "1e-3,1e-3", mentions=["--lr: 1e-3 is there twice"])
        self.check("--img_dim", "112,140,70,70", mentions=["semicolon"])
        self.check("--weights", "a/b,a-b,c/b", mentions=["two runs would be called run_weights=b"])
        self.check("--data_root", "x" * 250 + ",y", mentions=["too long"])
        self.check("--seed", ",".join(map(str, range(1001))), mentions=["more than 1000 runs"])

    def test_a_combination_that_train_refuses(self):
        self.check("--use_lora=on,off", "--lora_targets", "k", mentions=["run_use_lora=off", "--lora_targets"])

    def test_every_run_fails(self):
        result = self.run_here(*self.command("--lr", "1e-3,1e-2", "--data_root", "nowhere"))
        self.assert_one_error(result, 1, "2 of 2 runs have failed", "nowhere")
        self.assertEqual(len(error_lines(result.stderr)), 1)


if __name__ == "__main__":
    main()
