"""The example notebooks in JupyterLab and Chromium: look.py HOME FOLDER [PICTURES]

JupyterLab serves FOLDER, in which the folder notebooks lies, with the kernel that Jupyter finds in HOME. Every notebook is opened and run as
somebody does it, and what the page shows is measured, in the light and the dark theme. With a third argument some of
it is photographed into that folder. What goes wrong ends it with 1.
"""
import base64
import contextlib
import glob
import io
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

# The longest that anything may take on a slow machine.
PATIENCE = 180
# A window that shows a whole notebook at once, and a narrower one for pictures.
WIDTH, NARROW, HEIGHT = 1100, 1045, 6000
# Pictures are twice as sharp as the page, in this many colours.
SHARPNESS, COLOURS = 2, 256
# What a page of JupyterLab complains about by itself.
NOT_OURS = ("favicon", "Download the React DevTools", "/api/contents", "/api/workspaces", "/lab/api/")

# What is seen of the cells of code, in order.
SEEN = """
const box = e => { const r = e.getBoundingClientRect(); return {x: r.x, y: r.y, width: r.width, height: r.height}; };
const notebook = [...document.querySelectorAll('.jp-Notebook')].find(e => e.offsetParent);
return [...notebook.querySelectorAll('.jp-CodeCell')].map(cell => ({
  source: cell.querySelector('.cm-content').innerText,
  count: cell.querySelector('.jp-InputArea-prompt').innerText.trim(),
  box: box(cell),
  written: box(cell.querySelector('.jp-InputArea-editor')),
  outputs: [...cell.querySelectorAll('.jp-OutputArea-output')].map(output => ({
    kind: output.dataset.mimeType,
    text: output.innerText,
    box: box(output),
    hidden: output.scrollWidth - output.clientWidth,
    tables: [...output.querySelectorAll('table')].map(table => ({
      box: box(table),
      rows: [...table.rows].map(row => ({box: box(row), cells: [...row.cells].map(c => c.innerText)})),
    })),
    images: [...output.querySelectorAll('img')].map(image => ({
      box: box(image), loaded: image.complete && image.naturalWidth > 0, source: image.src,
    })),
    drawings: [...output.querySelectorAll('svg')].map(svg => ({
      box: box(svg), texts: [...svg.querySelectorAll('text')].map(text => ({box: box(text), text: text.textContent})),
    })),
  })),
}));
"""

# How the pictures of a page look: the lightness of the ground of each, and how many colours it has.
PAINTED = """
const notebook = [...document.querySelectorAll('.jp-Notebook')].find(e => e.offsetParent);
return [...notebook.querySelectorAll('.jp-OutputArea-output img')].map(image => {
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  const pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Map();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 255) continue;
    const colour = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
    colours.set(colour, (colours.get(colour) || 0) + 1);
  }
  const [ground] = [...colours].sort((a, b) => b[1] - a[1])[0] || [0];
  return {colours: colours.size, ground: (((ground >> 16) & 255) + ((ground >> 8) & 255) + (ground & 255)) / 765};
});
"""

# The texts of tables and pages that are hard to read on their ground: the contrast of each, as WCAG 2 counts it.
PALE = """
const parsed = text => { const p = text.match(/[\\d.]+/g).map(Number); return p.length < 4 ? [...p, 1] : p; };
const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = parsed(getComputedStyle(e).backgroundColor);
    if (colour[3] > 0.5) return colour;
  }
  return [255, 255, 255, 1];
};
const notebook = [...document.querySelectorAll('.jp-Notebook')].find(e => e.offsetParent);
const pale = [];
for (const e of notebook.querySelectorAll('.jp-RenderedHTMLCommon :is(td, th, p, small, pre, code, h1, h2, h3)')) {
  if (!e.closest('.jp-OutputArea-output') || !e.innerText.trim()) continue;
  const [a, b] = [light(parsed(getComputedStyle(e).color)), light(ground(e))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) pale.push(`${e.innerText.slice(0, 40)} (${contrast.toFixed(1)})`);
}
return pale;
"""


# Texts of pictures that leave the picture or lie over one another, measured with the fonts of this browser.
CLASHES = """
const clashes = [];
const notebook = [...document.querySelectorAll('.jp-Notebook')].find(e => e.offsetParent);
for (const image of notebook.querySelectorAll('.jp-OutputArea-output img')) {
  const place = document.createElement('div');
  place.style.cssText = 'position:fixed;left:0;top:0';
  place.innerHTML = decodeURIComponent(image.src.slice(image.src.indexOf(',') + 1));
  document.body.append(place);
  const edge = place.querySelector('svg').getBoundingClientRect();
  const texts = [...place.querySelectorAll('text')].map(e => {
    const word = [...e.childNodes].filter(n => n.nodeName !== 'title').map(n => n.textContent).join('');
    return {word, r: e.getBoundingClientRect()};
  });
  texts.forEach((a, i) => {
    if (a.r.left < edge.left || a.r.right > edge.right || a.r.top < edge.top || a.r.bottom > edge.bottom)
      clashes.push(`${a.word} leaves the picture`);
    for (const b of texts.slice(i + 1)) {
      const across = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
      const down = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
      // Boxes of letters have room above and below.
      if (across > 1 && down > 4) clashes.push(`${a.word} and ${b.word} lie over one another`);
    }
  });
  place.remove();
}
return clashes;
"""


class Wrong(Exception):
    """What is not as it should be."""


def settled(what, found, patience=PATIENCE):
    """Waits until `found()` is something, and gives it."""
    end = time.monotonic() + patience
    while True:
        try:
            value = found()
        except (StaleElementReferenceException, IndexError, urllib.error.URLError, FileNotFoundError, ValueError):
            value = None
        if value:
            return value
        if time.monotonic() > end:
            raise Wrong(f"waited in vain for {what}")
        time.sleep(0.1)


# --- JupyterLab ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def jupyterlab(home, folder):
    """A server on the loopback with a token of its own; gives its address and token."""
    settings = {
        "@jupyterlab/apputils-extension/notification": {
            "fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True,
        },
        # The theme follows the browser, as one may choose it.
        "@jupyterlab/apputils-extension/themes": {
            "adaptive-theme": True,
            "preferred-light-theme": "JupyterLab Light",
            "preferred-dark-theme": "JupyterLab Dark",
        },
        # All cells are in the page, and no button lies over them.
        "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
        "@jupyterlab/cell-toolbar-extension/plugin": {"showToolbar": False},
    }
    for name, values in settings.items():
        path = os.path.join(home, ".jupyter/lab/user-settings", f"{name}.jupyterlab-settings")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            json.dump(values, file)
    token = secrets.token_hex(16)
    runtime = os.path.join(home, "runtime")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "HOME": home,
        "JUPYTER_TOKEN": token,
        "JUPYTER_RUNTIME_DIR": runtime,
        "JUPYTER_PLATFORM_DIRS": "0",
    }
    with open(os.path.join(home, "jupyterlab.log"), "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1",
             f"--ServerApp.port={port}", "--ServerApp.port_retries=50", f"--ServerApp.root_dir={folder}",
             "--ServerApp.allow_root=True", "--ServerApp.terminals_enabled=False",
             "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None",
             "--LabApp.extension_manager=readonly"],
            env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )
    try:
        def address():
            if server.poll() is not None:
                with open(os.path.join(home, "jupyterlab.log")) as log:
                    raise Wrong(f"JupyterLab does not start:\n{log.read()[-2000:]}")
            with open(os.path.join(runtime, f"jpserver-{server.pid}.json")) as file:
                url = json.load(file)["url"]
            with urllib.request.urlopen(f"{url}api/status?token={token}", timeout=PATIENCE):
                return url

        yield settled("JupyterLab", address), token
    finally:
        # It ends its kernels first.
        end(server)


def end(process):
    for way in [signal.SIGTERM, signal.SIGKILL]:
        process.send_signal(way)
        try:
            process.wait(30)
            return
        except subprocess.TimeoutExpired:
            continue


# --- The browser ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def chromium(home):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in [
        "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--lang=en-US",
        f"--user-data-dir={os.path.join(home, 'chromium')}",
    ]:
        options.add_argument(argument)
    if os.geteuid() == 0:
        # Its sandbox wants a user.
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(
        shutil.which("chromedriver"), log_output=os.path.join(home, "chromedriver.log"), env={**os.environ, "HOME": home}
    )
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_page_load_timeout(PATIENCE)
        yield driver
    finally:
        driver.quit()


class Lab:
    """JupyterLab as it is seen and used."""

    def __init__(self, driver, url, token):
        self.driver, self.url, self.token = driver, url, token
        self.complaints = []
        self.resize(WIDTH)

    def resize(self, width):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": HEIGHT, "deviceScaleFactor": SHARPNESS, "mobile": False},
        )
        # The page arranges itself anew.
        settled("another width", lambda: self.driver.execute_script(
            """const lab = document.querySelector('#main');
            return window.innerWidth === arguments[0] && (!lab || lab.getBoundingClientRect().right <= arguments[0])""",
            width))

    def all(self, css):
        return [element for element in self.driver.find_elements(By.CSS_SELECTOR, css) if element.is_displayed()]

    def one(self, css, text=""):
        """The first element that is seen, with this text."""
        named = lambda: [element for element in self.all(css) if text in element.text][0]
        return settled(f"{css} {text}".strip(), named)

    def click(self, css, text=""):
        def clicked():
            with contextlib.suppress(WebDriverException):
                self.one(css, text).click()
                return True

        settled(f"a click on {css} {text}", clicked)

    def menu(self, name, entry):
        self.click(".lm-MenuBar-itemLabel", name)
        self.click(".lm-Menu-itemLabel", entry)

    def keys(self, *keys):
        chain = webdriver.ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def chord(self, held, key):
        webdriver.ActionChains(self.driver).key_down(held).send_keys(key).key_up(held).perform()

    def open(self, name):
        self.driver.get(f"{self.url}lab/tree/{name}?reset&token={self.token}")
        self.one(".jp-NotebookPanel .jp-CodeCell")
        # The list of files is folded away.
        self.click(".jp-SideBar.jp-mod-left .lm-TabBar-tab.lm-mod-current")
        self.idle()

    def status(self):
        """What the kernel does, as the circle at the right edge shows it."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll('.jp-Notebook-ExecutionIndicator')]"
            ".find(e => e.offsetParent)?.dataset.status")

    def idle(self):
        settled("an idle kernel", lambda: self.status() == "idle")

    def seen(self):
        return self.driver.execute_script(SEEN)

    def run_all(self):
        self.menu("Run", "Run All Cells")
        self.ran()

    def ran(self):
        settled("all cells to be run", lambda: all(cell["count"].strip("[]:").isdigit() for cell in self.seen()))
        self.idle()

    def restart(self, button):
        self.click(f".jp-NotebookPanel-toolbar [data-jp-item-name='{button}']")
        self.click(".jp-Dialog .jp-mod-accept")
        settled("the question to go", lambda: not self.all(".jp-Dialog"))
        self.idle()

    def cell(self, text):
        """A new cell at the end with this text, being written."""
        self.click(".jp-Notebook .jp-Cell:last-child .jp-InputPrompt")
        before = len(self.seen())
        self.keys(Keys.ESCAPE, "b")
        settled("a new cell", lambda: len(self.seen()) == before + 1)
        self.keys(Keys.ENTER, text)
        settled("a written cell", lambda: self.seen()[-1]["source"].strip() == text.strip())

    def run_cell(self, text):
        """The outputs of a new cell."""
        self.cell(text)
        self.chord(Keys.CONTROL, Keys.ENTER)
        settled("a run cell", lambda: self.seen()[-1]["count"].strip("[]:").isdigit())
        self.idle()
        return self.seen()[-1]["outputs"]

    def theme(self, name):
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": name}]}
        )
        light = "true" if name == "light" else "false"
        self.one(f"body[data-jp-theme-light='{light}']")
        # A theme is a file that is fetched, and pictures are painted anew.
        dark = lambda: self.driver.execute_script(
            "return getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim()")
        settled("the colours of the theme", lambda: (dark() in ["white", "#fff", "#ffffff"]) == (name == "light"))

    def listen(self):
        """What the page complained about since it was asked last."""
        for entry in self.driver.get_log("browser"):
            message = entry["message"]
            if entry["level"] == "SEVERE" and not any(known in message for known in NOT_OURS):
                self.complaints.append(message)
        return self.complaints


# --- Pictures ------------------------------------------------------------------------------------------------

# Which cells are photographed, by how they begin, and how many more of the notebook below each.
PHOTOGRAPHED = {
    "01-first-steps": [("explain", "%explain", 0)],
    "02-profile": [("profile", "%plot logins", 0), ("windows", "same := ", 0)],
    "03-investigation": [("investigation", "%%map ~/stellar-example-logins.jsonl where result", 1)],
}


class Camera:
    """Takes pictures of parts of the page into a folder, or none without one."""

    def __init__(self, lab, folder):
        self.lab, self.folder = lab, folder

    def cells(self, notebook, theme):
        if not self.folder:
            return
        self.lab.resize(NARROW)
        seen = self.lab.seen()
        for name, beginning, more in PHOTOGRAPHED.get(notebook, []):
            [first] = [at for at, cell in enumerate(seen) if cell["source"].startswith(beginning)]
            self.take(f"{name}-{theme}", seen[first : first + more + 1])
        self.lab.resize(WIDTH)

    def take(self, name, cells, below=None):
        """Cells from their numbers on, and perhaps something that hangs below them."""
        if not self.folder:
            return
        from PIL import Image

        # What invites to the next step says nothing in a picture.
        self.lab.driver.execute_script(
            "document.querySelectorAll('.jp-Notebook-footer, .jp-cell-toolbar').forEach(e => e.style.opacity = 0)")
        code, last = cells[0]["written"], cells[-1]["box"]
        left, right = code["x"] - 48, code["x"] + code["width"] + 8
        top, bottom = code["y"] - 8, last["y"] + last["height"] + 4
        if below:
            bottom = max(bottom, below["y"] + below["height"] + 12)
        clip = {"x": left, "y": top, "width": right - left, "height": bottom - top, "scale": 1}
        png = self.lab.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "clip": clip})["data"]
        with Image.open(io.BytesIO(base64.b64decode(png))) as image:
            few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(os.path.join(self.folder, f"{name}.png"), optimize=True)


# --- What is checked -----------------------------------------------------------------------------------------


def check(good, what):
    if not good:
        raise Wrong(what)


def text_of(value):
    return "".join(value) if isinstance(value, list) else value


def check_outputs(cells, held):
    """What is seen is what the notebook of the tree holds, large enough to be read and within its cell."""
    check(len(cells) == len(held), f"{len(cells)} cells of {len(held)} are seen")
    tables = images = 0
    for cell, expected in zip(cells, held):
        name = text_of(expected["source"]).splitlines()[0]
        outputs = expected["outputs"]
        check(len(cell["outputs"]) == len(outputs), f"{name}: {len(cell['outputs'])} outputs instead of {len(outputs)}")
        for seen, output in zip(cell["outputs"], outputs):
            check("error" not in (seen["kind"] or ""), f"{name}: {seen['text']}")
            check(seen["box"]["width"] > 100 and seen["box"]["height"] > 5, f"{name}: nothing is seen")
            check(seen["hidden"] <= 1, f"{name}: {seen['hidden']} pixels do not fit into the cell")
            html = text_of(output.get("data", {}).get("text/html", ""))
            check(len(seen["tables"]) == html.count("<table>"), f"{name}: not all tables are seen")
            for table in seen["tables"]:
                check(len(table["rows"]) == html.count("<tr>"), f"{name}: {len(table['rows'])} rows of a table")
                for row in table["rows"]:
                    check(row["box"]["height"] > 10 and any(row["cells"]), f"{name}: an empty row")
                tables += 1
            drawn = "image/svg+xml" in output.get("data", {})
            check(len(seen["images"]) == drawn, f"{name}: {len(seen['images'])} pictures are seen")
            for image in seen["images"]:
                check(image["loaded"] and image["box"]["width"] > 300 and image["box"]["height"] > 60,
                      f"{name}: the picture is not seen")
                check("%3Ctext" in image["source"], f"{name}: a picture without words")
            check(len(seen["drawings"]) == html.count("<svg"), f"{name}: not all drawings are seen")
            for drawing in seen["drawings"]:
                check(drawing["box"]["width"] > 300 and drawing["box"]["height"] > 60 and drawing["texts"],
                      f"{name}: the drawing is not seen")
                check(all(text["box"]["width"] > 0 for text in drawing["texts"]), f"{name}: words are not seen")
            images += len(seen["images"]) + len(seen["drawings"])
    return tables, images


def check_theme(lab, theme):
    lab.theme(theme)
    for picture in lab.driver.execute_script(PAINTED):
        check(picture["colours"] > 8, f"a picture in the {theme} theme is empty")
        right = picture["ground"] > 0.9 if theme == "light" else picture["ground"] < 0.2
        check(right, f"a picture in the {theme} theme has a ground of lightness {picture['ground']:.2f}")
    pale = lab.driver.execute_script(PALE)
    check(not pale, f"hard to read in the {theme} theme: {', '.join(pale)}")


def check_notebook(lab, camera, notebook, held, again):
    """Opens and runs a notebook; `again`: with the button that begins anew."""
    lab.open(notebook)
    lab.theme("light")
    if again:
        lab.restart("restart-and-run")
        lab.ran()
    else:
        lab.run_all()
    name = os.path.basename(notebook).removesuffix(".ipynb")
    tables, pictures = check_outputs(lab.seen(), held)
    clashes = lab.driver.execute_script(CLASHES)
    check(not clashes, f"words of pictures: {'; '.join(clashes)}")
    for theme in ["dark", "light"]:
        check_theme(lab, theme)
        camera.cells(name, theme)
    print(f"{name}: {len(held)} cells, {tables} tables, {pictures} pictures")


def check_writing(lab, camera):
    """What helps while a cell is written."""
    lab.cell("STATS_M")
    lab.keys(Keys.TAB)
    lab.one(".jp-Completer-item", "STATS_MEAN")
    # What is typed narrows the choice.
    lab.keys("EA")
    settled("a choice of one", lambda: len(lab.all(".jp-Completer-item")) == 1)
    lab.keys(Keys.ENTER)
    settled("a completed word", lambda: lab.seen()[-1]["source"].strip() == "STATS_MEAN")
    lab.keys("(")
    lab.chord(Keys.SHIFT, Keys.TAB)
    explanation = lab.one(".jp-Tooltip")
    check("STATS_MEAN" in explanation.text, f"the explanation of STATS_MEAN is {explanation.text}")
    for theme in ["dark", "light"]:
        lab.theme(theme)
        camera.take(f"writing-{theme}", lab.seen()[-1:], explanation.rect)
    lab.keys(Keys.ESCAPE)
    settled("the explanation to go", lambda: not lab.all(".jp-Tooltip"))
    print("completion and explanation: seen")


def check_stopping(lab):
    """The buttons that stop and restart."""
    lab.run_cell("kept := 7")
    # Nobody waits for the end of this.
    lab.run_cell("many := SPLIT(FILL_LEFT('', ',', 3000), ',')")
    lab.cell("MAP(many, a -> LENGTH(MAP(many, b -> LENGTH(MAP(many, c -> 1)))))")
    lab.chord(Keys.CONTROL, Keys.ENTER)
    settled("a busy kernel", lambda: lab.status() == "busy")
    lab.click(".jp-NotebookPanel-toolbar [data-jp-item-name='interrupt']")
    settled("the end of a cell that was stopped", lambda: lab.seen()[-1]["outputs"])
    lab.idle()
    said = lab.seen()[-1]["outputs"][-1]["text"]
    check("E0307" in said, f"a stopped cell says {said}")
    outputs = lab.run_cell("kept")
    check(outputs and outputs[0]["text"].strip() == "7", "a variable is lost by stopping")
    lab.restart("restart")
    # An empty variable shows nothing.
    check(lab.run_cell("kept") == [], "a variable lives on behind a restart")
    outputs = lab.run_cell("1 + 1")
    check(outputs and outputs[0]["text"].strip() == "2", "nothing is computed behind a restart")
    print("stopped and restarted")


def emptied(path):
    """The cells of code that a notebook holds; in the file nothing of what they showed is left."""
    with open(path) as file:
        notebook = json.load(file)
    held = [dict(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    with open(path, "w") as file:
        json.dump(notebook, file)
    return held


def main(home, folder, pictures=None):
    held = {os.path.relpath(path, folder): emptied(path) for path in sorted(glob.glob(f"{folder}/notebooks/*.ipynb"))}
    check(held, f"there are no notebooks in {folder}")
    with jupyterlab(home, folder) as (url, token), chromium(home) as driver:
        lab = Lab(driver, url, token)
        camera = Camera(lab, pictures)
        try:
            for at, (notebook, cells) in enumerate(held.items()):
                check_notebook(lab, camera, notebook, cells, again=at % 2 == 1)
                check(not lab.listen(), f"the page complains: {lab.complaints}")
            check_writing(lab, camera)
            check_stopping(lab)
            check(not lab.listen(), f"the page complains: {lab.complaints}")
        except (Wrong, WebDriverException):
            # What was seen when it went wrong.
            with contextlib.suppress(WebDriverException):
                driver.save_screenshot(os.path.join(home, "wrong.png"))
                print(f"see {home}/wrong.png", file=sys.stderr)
            raise


def stop(number, _):
    sys.exit(f"ended by {signal.Signals(number).name}")


if __name__ == "__main__":
    for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
        signal.signal(number, stop)
    try:
        main(*sys.argv[1:])
    except (Wrong, WebDriverException) as wrong:
        sys.exit(f"wrong: {wrong}")
