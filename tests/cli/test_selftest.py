"""dinoft selftest: that it compares everything, trains, and says with its exit status whether all agreed."""

from support import CommandLineTest, main

SMALL = ["--device", "cpu", "--size", "small", "--dino_type", "dinov2", "--img_dim", 48, 60, "--batch_size", 1]


class Selftest(CommandLineTest):
    def check(self, precision):
        result = self.run_here("selftest", *SMALL, "--precision", precision, "--steps", 3)
        if "has no bfloat16 for this processor" in result.stderr:
            self.skipTest(result.stderr)
        self.assertEqual(result.status, 0, result.stdout + result.stderr)
        self.assertTrue(result.stdout.endswith("all agree\n"))
        self.assertIn("\nattention_backward ", result.stdout)
        self.assertEqual(result.stdout.count("\ntraining, decoder "), 4)
        self.assertEqual(result.stdout.count("the same bits twice       yes"), 4)
        self.assertNotIn("NO", result.stdout)
        self.assertNotIn("nan", result.stdout)

    def test_fp32(self):
        self.check("fp32")

    def test_bf16(self):
        self.check("bf16")

    def test_refusals(self):
        self.refused("selftest", *SMALL, "--img_dim", 8, 8, mentions=["8 8", "patch"])
        self.refused("selftest", *SMALL, "--steps", 1001, mentions=["1001", "1000"])


if __name__ == "__main__":
    main()
