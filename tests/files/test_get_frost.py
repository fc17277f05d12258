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
        self.folder = pathlib.Path(temporary.name).resolve() / "frost"
        self.wheels = pathlib.Path(temporary.name).resolve() / "wheels"
        self.wheels.mkdir()

    def make_wheel(self, pictures):
        described = "imagecorruptions-1.1.2.dist-info"
        with zipfile.ZipFile(self.wheels / "imagecorruptions-1.1.2-py3-none-any.whl", "w") as wheel:
            for name, content in pictures.items():
                wheel.writestr(f"imagecorruptions/frost/{name}", content)
            wheel.writestr(f"{described}/METADATA", "Metadata-Version: 2.1\nName: imagecorruptions\nVersion: 1.1.2\n")
            wheel.writestr(f"{described}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{described}/RECORD", "")

    def get(self):
        environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
        command = [sys.executable, SOURCE / "scripts" / "get_frost.py", self.folder]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

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

    def test_fetches_what_is_missing_or_damaged(self):
        real = SOURCE / "weights" / "frost"
        if not all((real / name).exists() for name in NAMES):
            self.skipTest(f"{real} is not there: scripts/get_frost.py fetches it")
        self.make_wheel({name: (real / name).read_bytes() for name in NAMES})
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
