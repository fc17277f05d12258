#!/usr/bin/env -S python3 -ES
"""Stands in for ffmpeg and ffprobe, by the name that it is called by: it speaks the same pipes, over videos that are a
line of JSON and raw frames. What FAKE_FFMPEG has in JSON goes wrong."""

import json
import os
import pathlib
import sys
import time

words = sys.argv[1:]
faults = json.loads(os.environ.get("FAKE_FFMPEG", "{}"))


def fail(text):
    sys.exit(f"[fake @ 0x1] an earlier line\n{text}")


def path_of(word):
    if not word.startswith("file:"):
        fail(f"{word}: not as a file")
    return pathlib.Path(word[5:])


def read_video(word):
    head, _, pixels = path_of(word).read_bytes().partition(b"\n")
    try:
        return json.loads(head), pixels
    except ValueError:
        fail(f"{word}: Invalid data found when processing input")


def value(flag, of=words):
    return of[of.index(flag) + 1]


def note(role):
    if "notes" in faults:
        with open(faults["notes"], "a", encoding="utf-8") as file:
            file.write(json.dumps({"role": role, "pid": os.getpid(), "words": words}) + "\n")


def probe():
    head, _ = read_video(value("-i"))
    streams = [{"codec_type": "video", "codec_name": "png", "avg_frame_rate": "0/0", "r_frame_rate": "90000/1",
                "disposition": {"attached_pic": 1}}]  # fmt: skip
    if head["rate"]:
        streams.append({"codec_type": "video", "avg_frame_rate": head["rate"], "nb_frames": str(head["told"]),
                        "r_frame_rate": head.get("ticks", head["rate"]), "disposition": {"attached_pic": 0}})  # fmt: skip
    streams += [{"codec_type": "audio", "codec_name": name} for name in head["sound"]]
    print(json.dumps({"streams": streams, "format": {"duration": "1.0"}}))


def decode():
    head, pixels = read_video(value("-i"))
    if f"fps={head['rate']}:" not in value("-vf") or value("-f") != "image2pipe" or value("-map") != "0:V:0":
        fail("other words were expected")
    size = 3 * head["width"] * head["height"]
    for i in range(len(pixels) // size):
        if i == faults.get("decode"):
            fail("the decoder's last words")
        time.sleep(faults.get("wait", 0))
        sys.stdout.buffer.write(b"P6\n%d %d\n255\n" % (head["width"], head["height"]) + pixels[i * size : (i + 1) * size])
        sys.stdout.buffer.flush()
    if "complain" in faults:
        print("a frame was damaged", file=sys.stderr)


def encode():
    if "encoder" in faults:
        fail("Unknown encoder 'libx264'")
    width, height = map(int, value("-video_size").split("x"))
    pixels, output = b"", words[-1]
    while True:
        part = sys.stdin.buffer.read(3 * width * height)
        if not part:
            break
        pixels += part
        if output != "-" and len(pixels) // (3 * width * height) == faults.get("encode"):
            path_of(output).write_bytes(b"half a video")
            fail("the encoder's last words")
    if output == "-":
        return
    if "complain" in faults:
        print("a sound was damaged", file=sys.stderr)
    inputs = [words[i + 1] for i, word in enumerate(words) if word == "-i"]
    sound = [value("-c:a")] if len(inputs) > 1 and value("-map", words[words.index("-map") + 2 :]) == "1:a?" else []
    head = {"rate": value("-framerate"), "width": width, "height": height, "told": 0, "sound": sound,
            "format": words[-2]}  # fmt: skip
    path_of(output).write_bytes(json.dumps(head).encode() + b"\n" + pixels)


role = probe if pathlib.Path(sys.argv[0]).name == "ffprobe" else encode if "pipe:0" in words else decode
note(role.__name__)
role()
