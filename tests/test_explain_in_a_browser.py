"""The page of explain as it is used: in headless Chromium, where there is one and playwright to drive it."""

import shutil

import numpy as np
import pytest

import nn
from autograd import Value, explain
from nn.scalar import MLP

from .test_explain import HOSTILE


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright drives a browser here")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium is installed here")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens the page of a graph; afterwards there must be no error, no dialog and no request."""
    heard, page = [], browser.new_page(viewport={"width": 1280, "height": 800})
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: request.url.startswith("data:") or heard.append(request.url))

    def open_page(node):
        path = explain(node, tmp_path / "page.html").path
        page.goto(path.as_uri())
        assert heard.pop(0) == path.as_uri()
        return page

    yield open_page
    page.close()
    assert heard == []


def at(page):
    return int(page.input_value("#slider"))


def shown_gradients(page):
    boxes = page.locator(".box").all()
    return {
        box.locator("b").inner_text(): box.locator(".gradient").inner_text().removeprefix("∂").strip() for box in boxes
    }


def test_the_controls_work_and_the_numbers_are_right(opened):
    a, b = Value(-4.0, name="a"), Value(2.0, name="b")
    c = a * b + b**3
    d = (c + c * 2 + (b + a).relu()).tanh() + a
    d.name = "d"
    page = opened(d)
    last = int(page.get_attribute("#slider", "max"))
    assert at(page) == 0 and set(shown_gradients(page).values()) == {""} and page.locator(".unseen").count() == 10
    page.click("#on")
    page.click("#on")
    page.click("#back")
    assert at(page) == 1 and page.locator(".unseen").count() == 9 and page.locator(".box.now b").inner_text() == "v1"
    page.fill("#slider", str(last))
    assert at(page) == last and "Done" in page.inner_text("#told")
    d.backward()
    found = {name: float(text.replace("−", "-")) for name, text in shown_gradients(page).items()}
    assert (found["a"], found["b"]) == (pytest.approx(a.grad, rel=1e-3), pytest.approx(b.grad, rel=1e-3))
    assert (
        page.evaluate("gradients(steps.length)[0]") == a.grad and page.evaluate("gradients(steps.length)[1]") == b.grad
    )
    page.select_option("#speed", "16")
    page.click("#play")
    page.wait_for_function(f"step === {last} && !timer", timeout=10_000)
    page.hover(".box[data-box='1']")
    assert page.inner_text("#card h3") == "b"


def test_the_keyboard_is_enough(opened):
    x = Value(3.0, name="x")
    page = opened((x * x).tanh())
    for key, expected in [("End", 6), ("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)]:
        page.keyboard.press(key)
        assert at(page) == expected
    page.keyboard.press("+")
    assert page.input_value("#speed") == "2"
    page.keyboard.press(" ")
    assert page.get_attribute("#play", "aria-label") == "pause"
    page.keyboard.press(" ")
    assert page.get_attribute("#play", "aria-label") == "play"
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert "+=" in page.inner_text("#told") and "used 2 times" in page.inner_text("#told")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className.includes('box')")
    page.keyboard.press("Enter")
    assert "x" in page.inner_text("#card h3")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_text(opened, name):
    page = opened(Value(2.0, name=name) * Value(3.0, name="y"))
    shown = page.locator(".box b").first.evaluate("e => e.textContent")
    assert shown == name.replace("\ud800", "\N{REPLACEMENT CHARACTER}") or shown == name
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator("img, script").count() == 2  # the story and the program


def test_arrays_are_pictures_and_a_phone_has_no_sideways_scrolling(opened):
    model = nn.MLP(2, [8, 8], 1, rng=0)
    x, y = np.random.default_rng(0).normal(size=(16, 2)), np.zeros((16, 1))
    page = opened(lambda: nn.MSE()(model(x), y))
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("End")
    assert page.evaluate("document.documentElement.scrollWidth") == 390 and page.locator(".box canvas").count() > 10
    nn.MSE()(model(x), y).backward()
    found = page.evaluate("gradients(steps.length)[boxes.findIndex((box) => box.name === 'layers.2.weight')]")
    np.testing.assert_array_equal(found, model.layers[2].weight.grad)


def test_the_whole_of_a_wide_graph_fits_on_a_phone_and_its_boxes_are_legible(opened):
    page = opened(lambda: MLP(2, [8, 1])([0.5, -1.0]))
    page.set_viewport_size({"width": 390, "height": 844})
    overflow = "[$('graph').scrollWidth - $('graph').clientWidth, $('graph').scrollHeight - $('graph').clientHeight]"
    page.wait_for_function(f"String({overflow}) === '0,0'")
    assert page.get_attribute("#whole", "aria-pressed") == "true"
    page.keyboard.press("ArrowRight")
    assert page.locator(".box.now").bounding_box()["width"] > 100 and max(page.evaluate(overflow)) > 500
    page.keyboard.press("z")
    assert page.evaluate(overflow) == [0, 0]
    page.click("#whole")
    assert page.get_attribute("#whole", "aria-pressed") == "false" and max(page.evaluate(overflow)) > 500


def test_a_long_graph_stands_in_lines_and_what_is_high_is_written_on_one(opened):
    x, y = Value(0.5, name="x"), Value(0.5, name="y")
    for _ in range(60):
        y = y / x
    page = opened(y)
    assert page.evaluate("place.scale") > 0.3 and 5 < len({*page.evaluate("boxes.map((box) => box.corner[1])")}) < 30
    assert not any("NaN" in way for way in page.evaluate("edges.map((edge) => edge.element.getAttribute('d'))"))
    title = page.locator(".box .title").nth(2)
    assert title.evaluate("e => e.textContent") == "v1 = y/x" and title.locator("mfrac").count() == 0
    page.keyboard.press("ArrowRight")
    assert page.locator("#told mfrac").count() > 0
