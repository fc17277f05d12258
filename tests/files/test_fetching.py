"""Where the download scripts put things: scripts/fetching.py, and the scripts as they are installed. No network.

Usage: test_fetching.py SOURCE_FOLDER
"""
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True


class InEmptyFolder(unittest.TestCase):
    """Runs in a folder of its own, whose path has a space, with an environment in which nothing is set."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="dinoft test ")
        self.addCleanup(temporary.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        self.folder = pathlib.Path(temporary.name).resolve()
        os.chdir(self.folder)
        self.users = self.folder / "home" / ".local" / "share" / "dinoft" / "weights"
        variables = unittest.mock.patch.dict(os.environ, {"HOME": str(self.folder / "home")})
        variables.start()
        self.addCleanup(variables.stop)
        for name in ("XDG_DATA_HOME", "DINOFT_WEIGHTS", "DINOFT_SCRIPT_NAME"):
            os.environ.pop(name, None)


class Folders(InEmptyFolder):
    def assert_folders(self, *expected):
        self.assertEqual([str(folder) for folder in fetching.weight_folders()], [str(folder) for folder in expected])

    def test_order(self):
        self.assert_folders("weights", self.users)
        os.environ["DINOFT_WEIGHTS"] = ":/a b::c/:/a b:weights:"
        self.assert_folders("/a b", "c", "weights", self.users)
        os.environ["XDG_DATA_HOME"] = "/data"
        self.assert_folders("/a b", "c", "weights", "/data/dinoft/weights")

    def test_home_where_no_absolute_path_is_given(self):
        for data in ("", "data"):
            os.environ["XDG_DATA_HOME"] = data
            self.assert_folders("weights", self.users)

    def test_password_entry_where_home_is_not_set(self):
        entry = unittest.mock.Mock(pw_dir="/home/x")
        for home in ("", "x", None):
            os.environ["HOME"] = home or ""
            if home is None:
                del os.environ["HOME"]
            with unittest.mock.patch.object(pwd, "getpwuid", return_value=entry):
                self.assert_folders("weights", "/home/x/.local/share/dinoft/weights")
            with unittest.mock.patch.object(pwd, "getpwuid", side_effect=KeyError):
                self.assert_folders("weights")
                with self.assertRaisesRegex(fetching.Failure, "neither XDG_DATA_HOME nor HOME is set"):
                    fetching.folder_to_fill()

    def test_the_first_that_can_be_written_to_is_filled(self):
        pathlib.Path("a file").write_text("")
        pathlib.Path("locked").mkdir()
        pathlib.Path("open").mkdir()
        os.environ["DINOFT_WEIGHTS"] = "nowhere:a file:locked:open"
        access = os.access  # root may write anywhere

        def not_locked(path, mode):
            return str(path) != "locked" and access(path, mode)

        with unittest.mock.patch.object(os, "access", not_locked):
            self.assertEqual(fetching.folder_to_fill(), pathlib.Path("open"))
            pathlib.Path("open").rmdir()
            pathlib.Path("weights").mkdir()
            self.assertEqual(fetching.folder_to_fill(), pathlib.Path("weights"))

    def test_the_users_folder_is_made(self):
        self.assertFalse(self.users.exists())
        for _ in range(2):
            self.assertEqual(fetching.folder_to_fill(), self.users)
            self.assertTrue(self.users.is_dir())


class Installed(InEmptyFolder):
    """The scripts below a prefix, run as wrappers there run them."""

    def setUp(self):
        super().setUp()
        self.share = self.folder / "pre fix" / "share" / "dinoft"
        shutil.copytree(SOURCE / "scripts", self.share / "scripts", ignore=shutil.ignore_patterns("__pycache__"))

    def run_script(self, program, name, *arguments, typed=None):
        if typed:
            os.environ["DINOFT_SCRIPT_NAME"] = typed
        command = [program, self.share / "scripts" / name, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_the_prefix_s_weights_are_found(self):
        weights = self.share / "weights"
        weights.mkdir()
        for name in ("dinov2_vits14.onnx", "dinov2_vits14.pth"):
            (weights / name).write_text("")
            result = self.run_script(sys.executable, "get_weights.py", "dinov2_vits14")
            self.assertEqual((result.returncode, result.stdout), (0, f"{weights / name}\n"), result.stderr)
        self.assertEqual(sorted(path.name for path in self.share.iterdir()), ["scripts", "weights"])
        self.assertFalse((self.share / "scripts" / "__pycache__").exists())

    def test_they_go_by_the_name_that_was_typed(self):
        pathlib.Path("file").write_text("")
        for program, script in (
            (sys.executable, "get_weights.py"),
            (sys.executable, "get_frost.py"),
            ("bash", "get_voc.sh"),
            ("bash", "get_ade20k.sh"),
        ):
            typed = f"dinoft-{script.partition('.')[0].replace('_', '-')}"
            result = self.run_script(program, script, "--help", typed=typed)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertRegex(result.stdout, rf"^usage: {typed} \[")
            self.assertNotIn(script, result.stdout)
            folder = ["dinov2_vits14", "--output_dir", "file/x"] if script == "get_weights.py" else ["file/x"]
            result = self.run_script(program, script, *folder, typed=typed)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertRegex(result.stderr.splitlines()[-1], rf"^{typed}: error: .*file/x")


if __name__ == "__main__":
    SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
    sys.path.insert(0, str(SOURCE / "scripts"))
    import fetching

    unittest.main()
