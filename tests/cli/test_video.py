"""--video: frames through ffmpeg, for which a script stands in that speaks the same pipes."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import unittest

from datasets import draw_scene
from png_files import read_png, write_png
from support import DINOV2, HERE, LINEAR, CommandLineTest, files_in, leftovers, main, model_flags, start_program
from tensor_files import read_safetensors

WIDTH, HEIGHT = 62, 48
REAL = shutil.which("ffmpeg") and shutil.which("ffprobe")


class VideoTest(CommandLineTest):
    def setUp(self):
        super().setUp()
        tools = self.folder / "tools"
        tools.mkdir()
        for name in ("ffmpeg", "ffprobe"):
            (tools / name).symlink_to(HERE / "fake_ffmpeg.py")
        self.set_variable("PATH", f"{tools}:{os.environ['PATH']}")
        self.set_variable("FAKE_FFMPEG", "{}")

    def set_variable(self, name, value):
        before = os.environ.get(name)
        os.environ[name] = value
        self.addCleanup(lambda: os.environ.pop(name) if before is None else os.environ.update({name: before}))

    def faults(self, **faults):
        os.environ["FAKE_FFMPEG"] = json.dumps(faults)

    def video(self, frames, name="in.mp4", rate="25/1", sound=("aac",), **head):
        """A video whose frames are those images, which are also there as frames/N.png."""
        pixels = b""
        for i in range(frames):
            picture = draw_scene(f"frame {i}", WIDTH, HEIGHT, 4)[0]
            (self.folder / "frames").mkdir(exist_ok=True)
            write_png(self.folder / "frames" / f"{i}.png", picture)
            pixels += picture.pixels
        head = {"rate": rate, "width": WIDTH, "height": HEIGHT, "told": frames, "sound": sound, **head}
        (self.folder / name).write_bytes(json.dumps(head).encode() + b"\n" + pixels)
        return name

    def read_video(self, name="out.mp4"):
        head, _, pixels = (self.folder / name).read_bytes().partition(b"\n")
        head = json.loads(head)
        size = 3 * head["width"] * head["height"]
        return head, [pixels[i : i + size] for i in range(0, len(pixels), size)]

    def images(self, numbers):
        return [f"frames/{i}.png" for i in numbers]

    def check_nothing_is_left(self):
        self.assertEqual(leftovers(self.folder), [])
        self.assertFalse((self.folder / "out.mp4").exists())


class Pca(VideoTest):
    def pca(self, *words):
        return self.succeed("pca", *words, *model_flags(DINOV2))

    def refuse(self, *words, **options):
        return self.refused("pca", *words, *model_flags(DINOV2), **options)

    def test_frames_are_drawn_as_images_are(self):
        """All frames together have one basis and one range, as images have."""
        kinds = {"_pca": [], "_clusters_overlay": ["--clusters", 3, "--upsample"], "_similar": ["--similar_to", 20, 30]}
        self.video(5, rate="30000/1001")
        for ending, flags in kinds.items():
            self.pca(*self.images(range(5)), *flags, "--output_dir", "out")
            result = self.pca("--video", "in.mp4", "--output", "out.mp4", *flags)
            head, frames = self.read_video()
            self.assertEqual((head["rate"], head["format"], head["sound"]), ("30000/1001", "mp4", ["copy"]))
            self.assertEqual(frames, [read_png(self.folder / "out" / f"{i}{ending}.png").pixels for i in range(5)])
            self.assertRegex(result.stderr, r"out.mp4: 5 frames in [\d.]+ s, [\d.]+ a second")
            (self.folder / "out.mp4").unlink()
            shutil.rmtree(self.folder / "out")
        self.assertEqual(leftovers(self.folder), [])

    def test_every(self):
        """Frames between show the last that was computed; edges follow their own pixels with --upsample."""
        self.video(5)
        self.pca(*self.images([0, 3]), "--output_dir", "out")
        self.pca("--video", "in.mp4", "--output", "out.mkv", "--every", 3)
        head, frames = self.read_video("out.mkv")
        self.assertEqual(head["format"], "matroska")
        self.assertEqual(frames, [read_png(self.folder / "out" / f"{i // 3 * 3}_pca.png").pixels for i in range(5)])
        self.pca("--video", "in.mp4", "--output", "up.mp4", "--every", 3, "--upsample")
        self.assertEqual(len(set(self.read_video("up.mp4")[1])), 5)

    def test_what_the_file_tells_is_not_believed(self):
        """More and fewer frames than it says; a rate that varies; sound that an MP4 does not take."""
        for told, frames in ((2, 5), (9, 3), (0, 4)):
            self.video(frames, told=told, ticks="50/1", sound=("aac", "pcm_s16le"))
            result = self.pca("--video", "in.mp4", "--output", f"{told}.mp4")
            head, drawn = self.read_video(f"{told}.mp4")
            self.assertEqual((len(drawn), head["sound"]), (frames, ["aac"]))
            self.assertIn("do not come at a constant rate", result.stderr)
        self.video(2, sound=())
        self.pca("--video", "in.mp4", "--output", "silent.mov")
        self.assertEqual(self.read_video("silent.mov")[0]["sound"], [])

    def test_what_is_damaged_is_told_once(self):
        self.video(2)
        self.faults(complain=True)
        result = self.pca("--video", "in.mp4", "--output", "out.mp4")
        self.assertEqual(result.stderr.count("warning: ffmpeg could not decode all of in.mp4: a frame was damaged"), 1)
        self.assertEqual(result.stderr.count("warning: writing out.mp4 ffmpeg said: a sound was damaged"), 1)

    def test_what_ffmpeg_says(self):
        """The last line of its standard error is the error, and nothing is left."""
        command = ("--video", self.video(4), "--output", "out.mp4")
        self.faults(decode=2)
        self.refuse(*command, mentions=["cannot read the video in.mp4: ffmpeg: the decoder's last words"])
        self.check_nothing_is_left()
        self.faults(encode=2)
        self.refuse(*command, mentions=["cannot write the video out.mp4: ffmpeg: the encoder's last words"])
        self.check_nothing_is_left()
        self.faults(encoder=True)
        result = self.run_here("pca", *command, *model_flags(DINOV2))
        self.assert_one_error(result, 1, "cannot write videos: ffmpeg: Unknown encoder 'libx264'")
        self.assertNotIn("frames", result.stderr, "it is told before the work")
        self.faults()
        (self.folder / "bad.mp4").write_bytes(b"no video\n")
        self.refuse("--video", "bad.mp4", *command[2:], mentions=["bad.mp4: ffprobe: file:bad.mp4: Invalid data"])
        self.video(1, "song.mp4", rate="")
        self.refuse("--video", "song.mp4", *command[2:], mentions=["song.mp4: there is no video in it"])
        self.refuse("--video", self.video(0, "none.mp4"), *command[2:], mentions=["none.mp4: it has no frames"])
        os.environ["PATH"] = "/nonexistent"
        self.refuse(*command, mentions=["cannot run ffprobe: it is not installed", "apt-get install ffmpeg"])
        self.check_nothing_is_left()

    def test_outputs_that_cannot_be(self):
        self.video(2)
        self.refuse("--video", "in.mp4", "--output", "out.avi", mentions=["out.avi", ".mp4, .mov or .mkv"])
        self.refuse("--video", "in.mp4", "--output", "./in.mp4", mentions=["in.mp4 would overwrite"])
        self.pca("--video", "in.mp4", "--output", "out.mp4")
        self.refuse("--video", "in.mp4", "--output", "out.mp4", mentions=["out.mp4 is there already", "--overwrite"])
        self.refuse("--video", "gone.mp4", "--output", "out.mp4", mentions=["gone.mp4", "No such file"])
        self.refuse("--video", "frames", "--output", "out.mp4", mentions=["it is a folder, expected a video"])

    def test_flags(self):
        self.video(1)
        for words, mentions in (
            (["--video", "in.mp4"], ["--video needs --output"]),
            (["--video", "in.mp4", "--output", "o.mp4", "frames/0.png"], ["takes the place of images", "frames/0.png"]),
            (["--video", "in.mp4", "--output", "o.mp4", "--output_dir", "o"], ["--output_dir is for images"]),
            (["frames/0.png", "--every", 2], ["--every", "--video"]),
            (["frames/0.png", "--output", "o.mp4"], ["--output", "--video"]),
        ):
            self.refuse(*words, status=2, mentions=mentions)


class Predict(VideoTest):
    def command(self, *words):
        return ["predict", *words, *model_flags(DINOV2), "--lora_weights", LINEAR, "--overlay_opacity", 0.7]

    def test_frames_are_overlaid_as_images_are(self):
        self.video(4)
        for flags in ([], ["--outlines", "--threshold", 0.3], ["--tta", "--scales", "1"], ["--slide", 112, 56]):
            self.succeed(*self.command(*self.images(range(4)), *flags, "--output_dir", "out", "--overwrite"))
            result = self.succeed(*self.command("--video", "in.mp4", "--output", "out.mp4", "--overwrite", *flags))
            overlays = [read_png(self.folder / "out" / f"{i}_overlay.png").pixels for i in range(4)]
            self.assertEqual(self.read_video()[1], overlays)
            self.assertRegex(result.stderr, r"out.mp4: 4 frames in [\d.]+ s, [\d.]+ a second")

    def test_every(self):
        """Frames between keep the last classes over their own pixels."""
        self.video(4)
        self.succeed(*self.command("--video", "in.mp4", "--output", "out.mp4", "--every", 3))
        self.succeed(*self.command(*self.images([0, 3]), "--output_dir", "out"))
        drawn = self.read_video()[1]
        for i in range(4):
            mask = read_png(self.folder / "out" / f"{i // 3 * 3}.png")
            frame = read_png(self.folder / "frames" / f"{i}.png").pixels
            expected = []
            for at, label in enumerate(mask.pixels):
                share = 0.7 if label else 0
                expected += [(1 - share) * v + share * c for v, c in zip(frame[3 * at : 3 * at + 3], mask.palette[label])]
            self.assert_values_near(list(drawn[i]), expected, 1)

    def test_flags(self):
        self.video(1)
        for flag in (["--write", "mask"], ["--save_logits"], ["--legend"], ["--summary", "s.csv"], ["--json_lines"],
                     ["--image_range", "0,9"], ["--recursive"], ["--skip_existing"]):  # fmt: skip
            self.refused(*self.command("--video", "in.mp4", "--output", "out.mp4", *flag), status=2, mentions=[flag[0], "--video"])

    def test_signals_end_both_programs(self):
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            self.video(60)
            notes = self.folder / "notes"
            self.faults(wait=0.05, notes=str(notes))
            process = start_program(*self.command("--video", "in.mp4", "--output", "out.mp4"), cwd=self.folder,
                                    stderr=subprocess.PIPE, text=True)  # fmt: skip
            # Its first encoder is the one that is tried; with the second, frames are on their way.
            while (notes.read_text() if notes.exists() else "").count("encode") < 2:
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.send_signal(number)
            stderr = process.communicate()[1]
            self.assertEqual(process.returncode, status, stderr)
            self.check_nothing_is_left()
            for line in notes.read_text().splitlines():
                self.assertFalse(pathlib.Path(f"/proc/{json.loads(line)['pid']}").exists(), line)
            notes.unlink()


class Features(VideoTest):
    def test_features(self):
        self.video(5)
        self.succeed("features", *self.images([0, 2, 4]), *model_flags(DINOV2), "--output", "images.safetensors")
        self.succeed("features", "--video", "in.mp4", "--every", 2, *model_flags(DINOV2), "--output", "f.safetensors")
        images, _ = read_safetensors(self.folder / "images.safetensors")
        frames, metadata = read_safetensors(self.folder / "f.safetensors")
        self.assertEqual(images, frames)
        self.assertEqual(json.loads(metadata["images"]), ["in.mp4:0", "in.mp4:2", "in.mp4:4"])


@unittest.skipUnless(REAL, "no ffmpeg: the script alone stands in for it")
class RealFfmpeg(CommandLineTest):
    def probe(self, name, entries):
        command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", f"stream={entries}", "-of", "csv=p=0", name]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout.split()

    def test_a_clip(self):
        """Of odd sides, with sound that an MP4 does not take."""
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=75x40:rate=10:duration=1", "-f", "lavfi",
                        "-i", "sine=duration=1", "-c:v", "ffv1", "-c:a", "pcm_s16le", "in.mkv"],
                       cwd=self.folder, check=True)  # fmt: skip
        result = self.succeed("pca", "--video", "in.mkv", "--output", "out.mp4", *model_flags(DINOV2))
        self.assertIn("out.mp4: 10 frames", result.stderr)
        self.assertEqual(self.probe("out.mp4", "codec_name,width,height,avg_frame_rate,nb_read_frames"),
                         ["h264,76,40,10/1,10", "aac,0/0,44"])  # fmt: skip
        self.assertEqual(files_in(self.folder), ["in.mkv", "out.mp4"])


if __name__ == "__main__":
    main()
