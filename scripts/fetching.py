"""What the scripts that download files share."""
import hashlib
import os
import pathlib
import pwd
import subprocess
import sys

CHUNK = 1 << 20
FOLDERS = """\
dinoft looks in these folders, in this order, and what is fetched goes to the first that exists and can be written to:
  each of $DINOFT_WEIGHTS        with colons between them
  weights                        of the current folder
  $XDG_DATA_HOME/dinoft/weights  usually ~/.local/share/dinoft/weights; it is made if none of the others will do
  PREFIX/share/dinoft/weights    where dinoft is installed in PREFIX
"""


class Failure(Exception):
    """A text for the user."""


def script_name():
    """What the user has typed: an installed script is run by a wrapper of another name."""
    return os.environ.get("DINOFT_SCRIPT_NAME") or pathlib.Path(sys.argv[0]).name


def data_home():
    """$XDG_DATA_HOME as the XDG base directory specification has it; None where nobody knows the home."""
    data = os.environ.get("XDG_DATA_HOME", "")
    if data.startswith("/"):
        return pathlib.Path(data)
    home = os.environ.get("HOME", "")
    try:
        home = home if home.startswith("/") else pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None
    return pathlib.Path(home, ".local", "share") if home.startswith("/") else None


def weight_folders():
    """Where dinoft looks for weights, in its order: include/dinoft/weight_search.h."""
    folders = [pathlib.Path(entry) for entry in os.environ.get("DINOFT_WEIGHTS", "").split(":") if entry]
    folders.append(pathlib.Path("weights"))
    data = data_home()
    if data:
        folders.append(data / "dinoft" / "weights")
    share = pathlib.Path(__file__).resolve().parent.parent
    if share.parts[-2:] == ("share", "dinoft"):  # installed: PREFIX/share/dinoft/scripts
        folders.append(share / "weights")
    return list(dict.fromkeys(folders))


def folder_to_fill():
    """Where a download goes, see FOLDERS; it is there."""
    for folder in weight_folders():
        if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return folder
    data = data_home()
    if not data:
        raise Failure("no folder to write to: neither XDG_DATA_HOME nor HOME is set; set one, or name a folder")
    folder = data / "dinoft" / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def install(partial, target):
    """The checked file gets its name, for good."""
    with open(partial, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def download_wheel(requirement, folder):
    """pip is used as the user has set it up: with his index, his proxy, his certificates."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--ignore-requires-python", "--dest", folder, requirement]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    wheels = list(pathlib.Path(folder).glob("*.whl"))
    if result.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    raise Failure(f"pip cannot download {requirement}: {lines[-1] if lines else 'it says nothing'}")
