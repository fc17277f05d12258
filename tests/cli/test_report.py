"""Pages about training runs: NAME_report.html, and dinoft report."""

import re
import unittest

from support import Page, contents, file_size_limit, files_in, leftovers, main
from training import TrainingTest

EPOCHS = re.compile(r"<figcaption>epoch (\d+)[^<]*</figcaption>")


class ReportTest(TrainingTest):
    def read_page(self, name):
        text = (self.folder / name).read_text(encoding="utf-8")
        page = Page(text)
        self.assertNotIn("script", page.tags)
        self.assertTrue(all(link.startswith("data:image/") for link in page.links), page.links)
        return text, page

    def run_page(self, name="run"):
        return self.read_page(f"output/{name}_report.html")


class RunPage(ReportTest):
    """What a run leaves beside its other files."""

    def test_page_of_a_run(self):
        self.train("--epochs", 3, "--val_every", 1)
        text, page = self.run_page()
        self.assertEqual(page.tags.count("svg"), 3)
        # Three validation images, each with its label and three predictions; and the confusion matrix.
        self.assertEqual(text.count("data:image/jpeg"), 3 * 5)
        self.assertEqual(text.count("data:image/png"), 1)
        self.assertEqual(EPOCHS.findall(text), ["1", "2", "3"] * 3)
        self.assertIn("3 of 3", page.text)
        self.assertIn("--val_every 1", page.text)
        for heading in ("Curves", "Images", "Classes", "Confusion matrix of the last validation", "Configuration"):
            self.assertIn(f"<h2>{heading}</h2>", text)
        metrics = self.read_json("output/run_metrics.json")
        best = max(metrics["val_iou"])
        self.assertIn(f"best {100 * best:.2f} %, epoch {metrics['val_iou'].index(best) + 1}", page.text)

    def test_older_page_goes_with_the_first_step(self):
        flags = ["--no_shuffle", "--epochs", 2, "--cache_features", "off"]
        self.succeed(*self.train_command(*flags))
        self.assertIn("run_report.html", files_in(self.folder / "output"))
        last = sorted((self.data / "images" / "train").iterdir())[-1]
        last.write_bytes(last.read_bytes()[:-100])
        self.refused(*self.train_command(*flags), mentions=[last.name])
        self.assertNotIn("run_report.html", files_in(self.folder / "output"))

    def test_resumed_run_keeps_its_pictures(self):
        flags = ["--epochs", 4, "--val_every", 1, "--schedule", "constant"]
        self.train(*flags, "--max_steps", 4)
        self.assertIn("<dt>begun</dt>", self.run_page()[0])
        self.succeed(*[word for word in self.train_command(*flags) if word != "--overwrite"], "--resume")
        text, page = self.run_page()
        self.assertEqual(EPOCHS.findall(text), ["1", "2", "3", "4"] * 3)
        self.assertIn("<dt>resumed</dt>", text)
        whole = self.train(*flags, output="whole")
        other = self.read_page("whole/run_report.html")[0]
        # The same pictures and curves as of a run that was never stopped.
        for pattern in (r"data:image/[^\"]*", r"<path [^>]*>", r"<td class=[^<]*</td>"):
            self.assertTrue(re.findall(pattern, text) == re.findall(pattern, other), pattern)
        self.assertEqual(len(whole.metrics["val_loss"]), 4)

    def test_page_that_cannot_be_written_costs_no_model(self):
        # The page is the largest of these files.
        result = self.succeed(*self.train_command("--epochs", 2), preexec_fn=file_size_limit(80_000))
        self.assertEqual(len(re.findall("warning: the run's page does not go on: .*run_report.html", result.stderr)), 1)
        self.assertIn("run.pt", files_in(self.folder / "output"))
        self.assertNotIn("run_report.html", files_in(self.folder / "output"))
        self.assertEqual(leftovers(self.folder), [])

    def test_path_of_the_page_is_checked_before_the_run(self):
        (self.folder / "output" / "run_report.html").mkdir(parents=True)
        self.refused(*self.train_command(), mentions=["run_report.html"])

    def test_earlier_page_is_a_result(self):
        self.succeed(*self.train_command())
        for path in (self.folder / "output").iterdir():
            if path.is_file() and not path.name.endswith("_report.html"):
                path.unlink()
        words = [word for word in self.train_command() if word != "--overwrite"]
        self.refused(*words, mentions=["run_report.html is there already"])


class Comparison(ReportTest):
    """dinoft report RUN... --output FILE"""

    def setUp(self):
        super().setUp()
        for name, rate in (("slow", "1e-5"), ("fast", "1e-2")):
            self.succeed(*self.train_command("--exp_name", name, "--lr", rate, "--epochs", 2, "--val_every", 1))

    def report(self, *runs):
        self.succeed("report", *runs, "--output", "page.html")
        return self.read_page("page.html")

    def test_two_runs(self):
        before = contents(self.folder / "output")
        text, page = self.report("output/slow", "output/fast")
        self.assertEqual(page.tags.count("svg"), 4)
        best = {name: max(self.read_json(f"output/{name}_metrics.json")["val_iou"]) for name in ("slow", "fast")}
        order = sorted(best, key=best.get, reverse=True)
        rows = re.findall(r"<tr><th scope=\"row\">\d: (slow|fast)</th><td class=\"n\">([\d.]+)</td>", text)
        self.assertEqual(rows, [(name, f"{100 * best[name]:.2f}") for name in order])
        rates = {"slow": "1e-05", "fast": "0.01"}
        cells = "".join(f"<td>{rates[name]}</td>" for name in order)
        self.assertIn(f"<th scope=\"row\">lr</th>{cells}</tr>", text)
        self.assertNotIn("<th scope=\"row\">batch_size</th>", text)
        self.assertEqual(contents(self.folder / "output"), before)

    def test_runs_are_found(self):
        once = self.report("output/slow", "output/fast")[1].tags
        for runs in (
            ["output"],
            ["output/"],
            ["output/slow.pt", "output/fast_config.json"],
            ["output/slow_tb", "output/fast_tb/"],
            ["output/slow_best.pt", "output/slow_steps.csv", "output/fast_metrics.json", "output/fast.state"],
        ):
            self.assertEqual(self.report(*runs)[1].tags, once, runs)

    def test_all_files_of_a_folder(self):
        """What only some runs leave belongs to its run, and a run named by two paths is one."""
        once = self.report("output/slow", "output/fast")[1].tags
        output = self.folder / "output"
        for name in ("slow_e1.pt", "slow_viz_2.png", "fast_augmented.png", "fast_stopped.pt", "fast_features.cache"):
            (output / name).touch()
        (self.folder / "link").symlink_to(output)
        files = sorted(f"output/{path.name}" for path in output.iterdir())
        self.assertEqual(self.report(*files, "link/slow.pt", str(output))[1].tags, once)
        for name in ("page.html", "runs_sweep.csv", "runs_sweep.html"):
            (self.folder / name).touch()
        more = ["page.html", "runs_sweep.csv", "runs_sweep.html"]  # what is there behind a page and a sweep
        self.assertEqual(self.report(*files, *more)[1].tags, once)
        for name in ("slow_e1.pt", "fast_features.cache", "slow_viz_2.png"):
            self.refused("report", "output/slow", "--output", f"output/{name}", mentions=["pages end in .html"])
        self.refused("report", "output/none_e1.pt", "--output", "a.html", mentions=["output/none_e1.pt is no run"])
        for path in output.glob("fast[._]*.*"):
            path.rename(output / path.name.replace("fast", "slow_e1"))
        self.assertEqual(self.report("output/slow_e1.pt")[1].text.count("Training run slow_e1"), 2)

    def test_one_run(self):
        text, page = self.report("output/slow")
        self.assertIn("Training run slow", page.text)
        self.assertEqual(page.tags.count("svg"), 3)
        self.assertNotIn("img", page.tags)
        self.assertIn("<summary>All settings</summary>", text)

    def test_run_that_has_only_begun(self):
        (self.folder / "output" / "new_config.json").write_text("{}")
        result = self.succeed("report", "output/slow", "output/new_config.json", "--output", "page.html")
        self.assertIn("output/new is left out", result.stderr)
        self.assertIn("Training run slow", self.read_page("page.html")[1].text)
        self.refused("report", "output/new", "--output", "a.html", mentions=["no run with an epoch that has ended"])

    def test_errors(self):
        self.refused("report", "output/none", "--output", "a.html", mentions=["output/none is no run"])
        self.refused("report", "fixture.txt", "--output", "a.html", mentions=["fixture.txt is no run"])
        self.refused("report", ".", "--output", "a.html", mentions=["has no run"])
        result = self.run_here("report", "output/slow")
        self.assertEqual(result.status, 2)
        self.assertIn("--output", result.stderr)
        before = contents(self.folder / "output")
        for ending in (".pt", "_metrics.json", "_steps.csv", "_config.json", "_report.html"):
            self.refused("report", "output", "--output", f"output/fast{ending}", mentions=["is a file of the run"])
        self.assertEqual(contents(self.folder / "output"), before)

    def test_damaged_files_are_errors(self):
        steps = self.folder / "output" / "slow_steps.csv"
        steps.write_text(steps.read_text() + "1,2,three,4,5,6\n")
        self.refused("report", "output", "--output", "page.html", mentions=["slow_steps.csv, line 6"])
        self.assertNotIn("page.html", files_in(self.folder))

    def test_steps_after_a_kill(self):
        steps = self.folder / "output" / "slow_steps.csv"
        steps.write_text(steps.read_text()[:-5])
        self.assertIn("last line of slow_steps.csv is cut", self.report("output")[1].text)


if __name__ == "__main__":
    main()
