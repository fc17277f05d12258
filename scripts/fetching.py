"""What the scripts that download files share."""
import hashlib
import os
import pathlib
import subprocess
import sys

CHUNK = 1 << 20


class Failure(Exception):
    """A text for the user."""


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
