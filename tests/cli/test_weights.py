"""Where weights and frost's photographs are looked for, by a program in PREFIX/bin that runs in another folder. Paths
have spaces."""

import json
import pathlib
import shutil
import subprocess
import sys

from datasets import draw_image, make_folder
from png_files import RGB, Picture, write_png
from support import (DINOV2, DINOV3, LINEAR, PROGRAM, CommandLineTest, contents, environment, folder_data, img_dim,
                     main, run_program)

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts"
PUBLISHED = "dinov3_vitl16"  # the backbone of the flags' defaults
ENDINGS = [".safetensors", ".pth", ".onnx"]
FROST_SIZES = {"frost1.png": (900, 600), "frost2.png": (560, 315), "frost3.png": (560, 315), "frost4.jpg": (527, 350),
               "frost5.jpg": (660, 495)}


class WeightsTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        self.program = self.folder / "pre fix" / "bin" / "dinoft"
        self.program.parent.mkdir(parents=True)
        shutil.copy(PROGRAM, self.program)
        self.listed = [self.folder / "a list", self.folder / "of two"]
        self.here = self.folder / "work here"
        self.here.mkdir()
        self.variables = {
            "DINOFT_WEIGHTS": f"{self.listed[0]}::{self.listed[1]}:",
            "XDG_DATA_HOME": str(self.folder / "data home"),
            "HOME": str(self.folder / "home"),
        }
        self.installed = self.folder / "pre fix" / "share" / "dinoft" / "weights"
        users = self.folder / "data home" / "dinoft" / "weights"
        self.folders = [*self.listed, self.here / "weights", users, self.installed]
        self.image = draw_image(self.folder / "image.png", 60, 50, 1)

    def run_here(self, *arguments, **options):
        return run_program(*arguments, cwd=self.here, program=self.program, variables=self.variables, **options)

    def shown(self, path):
        """As messages have it: `weights` belongs to the current folder."""
        return str(path).removeprefix(f"{self.here}/")

    def features(self, *flags):
        return ["features", self.image, "--output", "f.safetensors", *img_dim(32, 48), *flags]


class Order(WeightsTest):
    """Each file holds no weights, so that the error names the one that was chosen."""

    def put(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no weights")

    def assert_chosen(self, path, *flags):
        self.refused(*self.features(*flags), mentions=[f"{self.shown(path)}: neither a PyTorch"])

    def test_folders_then_endings(self):
        """From the last to the first: each new file comes before those that are there."""
        for folder in reversed(self.folders):
            for ending in reversed(ENDINGS):
                path = folder / f"{PUBLISHED}{ending}"
                self.put(path)
                self.assert_chosen(path)
                self.assert_chosen(path, "--weights", PUBLISHED)
                self.assert_chosen(path, "--weights", path.name)

    def test_a_file_here_comes_before_all(self):
        self.put(self.listed[0] / "net.pth")
        self.put(self.here / "net.pth")
        self.assert_chosen(self.here / "net.pth", "--weights", "net.pth")
        self.assert_chosen(self.listed[0] / "net.pth", "--weights", "net")

    def test_a_folder_is_no_weight_file(self):
        (self.here / "net").mkdir()
        (self.listed[0] / "net").mkdir(parents=True)
        (self.listed[0] / "net.safetensors").mkdir()
        self.put(self.installed / "net.onnx")
        self.assert_chosen(self.installed / "net.onnx", "--weights", "net")
        self.refused(*self.features("--weights", f"{self.listed[0]}/net"), mentions=["it is a folder"])

    def test_a_path_is_not_looked_for(self):
        self.put(self.listed[0] / "net.pth")
        self.refused(*self.features("--weights", "./net.pth"), mentions=["cannot open ./net.pth: No such file"])

    def test_the_moved_program_finds_its_own(self):
        self.put(self.installed / f"{PUBLISHED}.pth")
        (self.folder / "pre fix").rename(self.folder / "moved")
        self.program = self.folder / "moved" / "bin" / "dinoft"
        link = self.folder / "link"
        link.symlink_to(self.program)
        path = self.folder / "moved" / "share" / "dinoft" / "weights" / f"{PUBLISHED}.pth"
        self.assert_chosen(path)
        self.program = link
        self.assert_chosen(path)


class Errors(WeightsTest):
    def assert_lists(self, error, folders):
        names = [self.shown(folder) for folder in folders]
        self.assertIn(f" in {', '.join(names[:-1])} or {names[-1]}; ", error)

    def test_it_says_where_it_looked_and_what_helps(self):
        published = self.refused(*self.features(), mentions=[f"no backbone {PUBLISHED}: "])
        self.assertIn(f"; scripts/get_weights.py {PUBLISHED} (installed: dinoft-get-weights {PUBLISHED}) ", published)
        typed = self.refused(*self.features("--weights", "net"), mentions=["--weights net: ", "get_weights.py --list"])
        for error in (published, typed):
            self.assert_lists(error, self.folders)
            for words in (*ENDINGS, self.folders[0]):
                self.assertEqual(error.count(str(words)), 1, error)

    def test_each_folder_is_listed_once(self):
        users = self.folders[3]
        self.variables["DINOFT_WEIGHTS"] = f"weights:{users}/:{self.listed[0]}:{users}"
        self.assert_lists(self.refused(*self.features()), [self.folders[2], users, self.listed[0], self.installed])

    def test_the_scripts_have_the_same_folders(self):
        """scripts/fetching.py, installed beside the program."""
        scripts = self.installed.parent / "scripts"
        scripts.mkdir(parents=True)
        shutil.copy(SCRIPTS / "fetching.py", scripts)
        code = f"import sys; sys.path.insert(0, {str(scripts)!r}); import fetching; print(*fetching.weight_folders(), sep='\\n')"
        usual = self.variables
        for changed in (
            {},
            {"DINOFT_WEIGHTS": "x//:/y/:weights"},
            {"DINOFT_WEIGHTS": ""},
            {"XDG_DATA_HOME": ""},
            {"XDG_DATA_HOME": "not/absolute"},
            {"XDG_DATA_HOME": "", "HOME": ""},
        ):
            with self.subTest(changed):
                self.variables = {**usual, **changed}
                done = subprocess.run([sys.executable, "-B", "-c", code], cwd=self.here, env=environment(**self.variables),
                                      capture_output=True, text=True, check=True)
                self.assert_lists(self.refused(*self.features()), done.stdout.splitlines())


class Commands(WeightsTest):
    """Every command that takes --weights takes a name."""

    def setUp(self):
        super().setUp()
        self.data = make_folder(self.folder / "data", train=3, val=2)
        self.weights = self.folders[3] / "my net.pth"
        self.weights.parent.mkdir(parents=True)
        shutil.copy(DINOV2.weights, self.weights)

    def succeed_both_ways(self, *command, output):
        """By the file's name and by its path: the same files."""
        made = []
        for weights in ("my net", self.weights):
            self.succeed(*command, "--weights", weights)
            made.append(contents(self.here))
            (self.here / output).rename(self.folder / f"{command[0]} {len(made)}")
        self.assertEqual(*made)

    def test_train_records_the_path(self):
        self.succeed("train", *folder_data(self.data), "--n_classes", 4, "--weights", "my net.pth",
                     *img_dim(28, 28), *["--epochs", 1, "--batch_size", 3, "--exp_name", "run"])
        config = json.loads((self.here / "output" / "run_config.json").read_text())
        self.assertEqual(config["weights"], str(self.weights))

    def test_measuring(self):
        model = [*folder_data(self.data), "--lora_weights", LINEAR, *img_dim(28, 28)]
        self.succeed_both_ways("eval", *model, "--metrics_json", "m.json", output="m.json")
        self.succeed_both_ways("corrupt", *model, "--corruptions", "contrast", "--severity", 1, output="output")

    def test_images(self):
        model = img_dim(28, 28)
        self.succeed_both_ways("predict", self.image, "--lora_weights", LINEAR, *model, output="output")
        self.succeed_both_ways("features", self.image, *model, "--output", "f.safetensors", output="f.safetensors")
        self.succeed_both_ways("pca", self.image, *model, output="output")

    def test_bench_says_which(self):
        self.succeed("bench", "eval", "--weights", "my net", *img_dim(28, 28), "--batch_size", 1, "--steps", 1, "--json", "b.json")
        self.assertEqual(json.loads((self.here / "b.json").read_text())["weights"], str(self.weights))
        self.refused("bench", "eval", "--weights", "no net", mentions=["--weights no net: ", self.installed])

    def test_published_names(self):
        shutil.copy(DINOV3.weights, self.weights.with_name(f"{PUBLISHED}.onnx"))
        self.succeed(*self.features())


class Frost(WeightsTest):
    def setUp(self):
        super().setUp()
        self.command = ["corrupt-images", self.image, "--severity", 1, "--output_dir", "out"]

    def put(self, folder, shade=0):
        (folder / "frost").mkdir(parents=True)
        for name, (width, height) in FROST_SIZES.items():
            write_png(folder / "frost" / name, Picture(width, height, RGB, bytes([shade]) * (3 * width * height)))

    def corrupted(self, *flags):
        self.succeed(*self.command, "--overwrite", "--corruptions", "frost", *flags)
        return (self.here / "out" / "image_frost_1.png").read_bytes()

    def test_order(self):
        for shade, folder in enumerate(reversed(self.folders)):
            self.put(folder, 40 * shade)
            self.assertEqual(self.corrupted(), self.corrupted("--frost_dir", folder / "frost"))
            if folder != self.installed:
                self.assertNotEqual(self.corrupted(), self.corrupted("--frost_dir", self.installed / "frost"))

    def test_nowhere(self):
        error = self.refused(*self.command, "--overwrite", "--corruptions", "frost", mentions=["there is no folder frost in ", *map(self.shown, self.folders)])
        for words in ("scripts/get_frost.py", "dinoft-get-frost", "--frost_dir"):
            self.assertIn(words, error)
        told = self.succeed(*self.command, "--corruptions", "common").stderr
        self.assertIn(error.removeprefix("dinoft: error: "), told)

    def test_a_folder_that_lacks_one(self):
        """The first folder counts, whatever is in it."""
        self.put(self.installed)
        self.put(self.listed[0])
        (self.listed[0] / "frost" / "frost3.png").unlink()
        self.refused(*self.command, "--overwrite", "--corruptions", "frost", mentions=[self.listed[0] / "frost" / "frost3.png", "get_frost.py"])

    def test_a_run_goes_on_when_they_have_moved(self):
        """Where they lie is no part of what cells depend on."""
        data = make_folder(self.folder / "data", train=1, val=2)
        command = ["corrupt", *folder_data(data), "--weights", DINOV2.weights, *img_dim(28, 28),
                   *["--lora_weights", LINEAR, "--severity", "1", "--corruptions"]]
        target = self.here / "output" / "after5_lora_linear_corruptions.json"
        without = self.succeed(*command, "common")
        skipped = next(row["skipped"] for row in json.loads(target.read_text())["corruptions"] if row["name"] == "frost")
        self.assertIn("there is no folder frost in ", skipped)
        self.assertIn(f"frost was skipped: {skipped}\n", without.stdout)
        self.put(self.here / "weights")
        self.assertIn("15 cells of ", self.succeed(*command, "common").stderr)
        whole = target.read_bytes()
        (self.here / "weights").rename(self.listed[1])
        self.assertIn("16 cells of ", self.succeed(*command, "common").stderr)
        self.assertEqual(target.read_bytes(), whole)


if __name__ == "__main__":
    main()
