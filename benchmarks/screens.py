"""How long a screen takes until something can be done on it, and what open screens cost, beside bare Voila.

    gridlib init --sample --home /tmp/sample && gridlib run --home /tmp/sample
    python benchmarks/screens.py --home /tmp/sample

Each screen is opened by a signed-in operator in a browser with an empty cache, and again in the same browser;
timed is from the request to the first control of the screen (a transformer, a plan, a form). The peer in the
same run is Voila with a notebook of one ipywidgets button: the least that a page of this kind can take.
Memory is the proportional set size of all processes of a server: its own, its kernels, and the worker that
draws the screens. Nothing else should run on the machine.
"""

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import psutil
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
READY = {
    "control_room": "[id^=unit-]",
    "decision_desk": "main a[href*='plan=']",
    "work_board": "main h1",
    "audit_trail": "main form button",
}
BUTTON = "button:has-text('Go')"
OPEN = 8
PATIENCE_MS = 60_000


def free_port():
    """Name a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def serving(command, until):
    """Run a server; yields the address that it prints, and its process."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            line = next(line for line in process.stdout if until in line)
            yield line[line.index("http") :].strip().rstrip("/"), process
        finally:
            process.terminate()


def open_page(page, address, ready):
    """Open a page; returns how long it took until it was ready [s]."""
    page.goto("about:blank")
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.locator(ready).first.wait_for(timeout=PATIENCE_MS)
    return time.perf_counter() - begun


def memory_mb(process):
    """Add up the memory of a server and of all that it started [MB], by kind."""
    found = {"server": 0.0, "worker": 0.0, "kernels": 0.0}
    for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        words = " ".join(one.cmdline())
        kind = "kernels" if "ipykernel" in words else "worker" if "study.worker" in words else "server"
        found[kind] += one.memory_full_info().pss / 1e6
    return found


def measure(browser, base, pages, process, rounds, enter=None):
    """Weigh eight pages at once; then time each in an empty and in a used browser."""
    context = browser.new_context()
    if enter:
        enter(context.new_page())
    for path, ready in (list(pages.values()) * OPEN)[:OPEN]:
        open_page(context.new_page(), base + path, ready)
    weight = memory_mb(process)
    context.close()
    cold, warm = {name: [] for name in pages}, {name: [] for name in pages}
    for name, (path, ready) in list(pages.items()) * rounds:
        context = browser.new_context()
        page = context.new_page()
        if enter:
            enter(page)
        cold[name].append(open_page(page, base + path, ready))
        warm[name].append(open_page(page, base + path, ready))
        context.close()
    return cold, warm, weight


def main():
    """Measure both and print their figures and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="workspace of the sample, run")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    known = (asked.home / "data" / "first_passwords.txt").read_text(encoding="utf-8").split()
    password = known[known.index("operator") + 1]

    def sign_in(page):
        page.goto(f"{base}/login")
        page.get_by_label("User name").fill("operator")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Screens").wait_for()

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        cell = "import ipywidgets\nipywidgets.Button(description='Go')"
        bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
        nbformat.write(bare, Path(folder) / "bare.ipynb")
        voila = [sys.executable, "-m", "voila", folder, "--no-browser", f"--port={free_port()}"]
        with serving(voila, "http://") as (base, process):
            pages = {"bare": ("/voila/render/bare.ipynb", BUTTON)}
            peer = measure(browser, base, pages, process, asked.rounds)
        ours = [Path(sys.executable).with_name("gridlib"), "serve", "--home", asked.home, "--port", "0"]
        with serving(ours, "Screens: ") as (base, process):
            pages = {name: (f"/voila/render/{name}.ipynb", ready) for name, ready in READY.items()}
            found = measure(browser, base, pages, process, asked.rounds, sign_in)
        browser.close()

    least = [statistics.median(times["bare"]) for times in peer[:2]]
    print(f"{'page':<15}{'empty s':>9}{'worst':>7}{'used s':>9}{'worst':>7}{'to bare':>9}{'used':>6}")
    for name in ("bare", *READY):
        cold, warm = (times[name] for times in (peer if name == "bare" else found)[:2])
        middle = statistics.median(cold), statistics.median(warm)
        print(
            f"{name:<15}{middle[0]:>9.2f}{max(cold):>7.2f}{middle[1]:>9.2f}{max(warm):>7.2f}"
            f"{middle[0] / least[0]:>9.2f}{middle[1] / least[1]:>6.2f}"
        )
    for who, weight in (("bare", peer[2]), ("gridlib", found[2])):
        parts = ", ".join(f"{kind} {mb:.0f}" for kind, mb in weight.items())
        print(f"{OPEN} pages of {who}: {sum(weight.values()):.0f} MB ({parts})")
    print(f"ratio {sum(found[2].values()) / sum(peer[2].values()):.2f}")


if __name__ == "__main__":
    main()
