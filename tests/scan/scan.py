"""Reads the PNGs that the phone draws with zxing-cpp, as small as a scanner may see them.

usage: python3 tests/scan/scan.py DIRECTORY_WITH_PROGRAMS

A phone binds against a sandbox, then draws codes of both forms to PNG files. Each has a quiet zone of four modules and
nothing more around it (ISO/IEC 18004), is rescaled with it to the smallest picture that the format promises to be readable,
and must read as exactly the text that the phone printed.
The last line is `N passed, N failed`.
"""

import pathlib
import subprocess
import sys
import tempfile

import zxingcpp
from PIL import Image, ImageChops

# The side in pixels, quiet zone included, at which each form is still read.
FORMS = {"short": 140, "full": 200}
CODES_OF_EACH_KIND = 6
# Pixels of four modules, as the phone draws them.
QUIET_ZONE = 4 * 8


def read(picture: Image.Image) -> str | None:
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return found[0].text if len(found) == 1 else None


def has_quiet_zone(picture: Image.Image) -> bool:
    dark = ImageChops.invert(picture).getbbox()
    return dark == (QUIET_ZONE, QUIET_ZONE, picture.width - QUIET_ZONE, picture.height - QUIET_ZONE)


def main() -> int:
    programs = pathlib.Path(sys.argv[1])
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="yika-scan-") as folder:
        home = pathlib.Path(folder)
        sandbox = subprocess.Popen(
            [programs / "yika-sandbox", "--listen", "127.0.0.1:0", "--data", home / "campus"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = sandbox.stdout.readline().removeprefix("listening on ").strip()
            phone = [programs / "yika-phone", "--home", home / "phone"]
            subprocess.run([*phone, "bind", "--platform", url, "--student", "20260001"], check=True)
        finally:
            sandbox.terminate()
            sandbox.wait()
        for form, side in FORMS.items():
            for kind in ("pay", "identity"):
                for number in range(CODES_OF_EACH_KIND):
                    png = home / f"{kind}-{form}-{number}.png"
                    drawn = subprocess.run(
                        [*phone, "code", kind, "--form", form, "--png", png, "--text"],
                        check=True, capture_output=True, text=True)
                    text = drawn.stdout.rstrip("\r\n")
                    picture = Image.open(png).convert("L")
                    readings = [read(picture), read(picture.resize((side, side), Image.Resampling.BILINEAR))]
                    if readings == [text, text] and has_quiet_zone(picture):
                        passed += 1
                    else:
                        failed += 1
                        print(f"{png.name} ({picture.width} px, then {side} px): {readings} instead of {text!r}, "
                              f"quiet zone {has_quiet_zone(picture)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
