"""A matplotlib backend whose windows nobody sees; it notes the titles of what they show."""

from matplotlib.backends.backend_agg import FigureCanvasAgg

shown: list[list[str]] = []


class FigureCanvas(FigureCanvasAgg):
    required_interactive_framework = "headless"  # goes with a display and without

    def draw_idle(self) -> None:
        self.draw()
        shown.append([axes.get_title() for axes in self.figure.axes if axes.get_title()])
