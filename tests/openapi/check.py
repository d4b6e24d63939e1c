"""Holds a sandbox to the platform's own description of it: schemathesis sends what `/openapi.json` allows and what it forbids.

usage: python3 tests/openapi/check.py DIRECTORY_WITH_PROGRAMS

Which checks are made, and how many requests, is in `schemathesis.toml`; who makes the requests is in `hooks.py`.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def main() -> int:
    programs = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="yika-openapi-") as folder:
        home = pathlib.Path(folder)
        with open(home / "log", "w+") as log:
            sandbox = subprocess.Popen(
                [programs / "yika-sandbox", "--listen", "127.0.0.1:0", "--data", home / "campus"],
                stdout=subprocess.PIPE, stderr=log, text=True)
            try:
                url = sandbox.stdout.readline().removeprefix("listening on ").strip()
                hooks = {"YIKA_PLATFORM": url, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")}
                status = subprocess.run(
                    ["schemathesis", "--config-file", HERE / "schemathesis.toml", "run", f"{url}/openapi.json"],
                    cwd=home, env=os.environ | hooks).returncode
            finally:
                sandbox.terminate()
                sandbox.wait()
            if status != 0:
                # A failure's reference leads into the log.
                log.seek(0)
                print(log.read())
    return status


if __name__ == "__main__":
    sys.exit(main())
