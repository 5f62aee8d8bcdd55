#!/usr/bin/env python3
"""Draws the sweep of `./dev bench` as an SVG: bench_plot.py LOG SVG. Standard library only."""
import html
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, PLOT_W, PLOT_H = 980, 420, 70, 50, 380, 290
COLOURS = ["#1b6ca8", "#c8553d", "#2f7d4f", "#7b4ea3"]


def rows(path):
    with open(path, encoding="utf-8") as text:
        return [line.split()[1:] for line in text if line.startswith("row ")]


class Panel:
    """One diagram with logarithmic axes."""

    def __init__(self, left, title, x_name, y_name, lines):
        self.left, self.title, self.x_name, self.y_name, self.lines = left, title, x_name, y_name, lines
        points = [point for line in lines.values() for point in line]
        self.x_range = self.bounds([x for x, _ in points])
        self.y_range = self.bounds([y for _, y in points])

    @staticmethod
    def bounds(values):
        low, high = math.log10(min(values)), math.log10(max(values))
        space = max(0.05, 0.08 * (high - low))
        return low - space, high + space

    def x(self, value):
        low, high = self.x_range
        return self.left + PLOT_W * (math.log10(value) - low) / (high - low)

    def y(self, value):
        low, high = self.y_range
        return TOP + PLOT_H * (1 - (math.log10(value) - low) / (high - low))

    @staticmethod
    def ticks(bounds):
        for power in range(math.floor(bounds[0]), math.ceil(bounds[1]) + 1):
            for factor in (1, 2, 5):
                value = factor * 10.0 ** power
                if bounds[0] <= math.log10(value) <= bounds[1]:
                    yield value

    def draw(self):
        yield f'<rect x="{self.left}" y="{TOP}" width="{PLOT_W}" height="{PLOT_H}" fill="none" stroke="#888"/>'
        yield text(self.left + PLOT_W / 2, TOP - 18, self.title, anchor="middle", weight="bold")
        yield text(self.left + PLOT_W / 2, TOP + PLOT_H + 38, self.x_name, anchor="middle")
        yield text(self.left - 50, TOP - 6, self.y_name)
        for value in self.ticks(self.x_range):
            yield f'<line x1="{self.x(value):.1f}" y1="{TOP}" x2="{self.x(value):.1f}" y2="{TOP + PLOT_H}" stroke="#eee"/>'
            yield text(self.x(value), TOP + PLOT_H + 18, f"{value:g}", anchor="middle", size=10)
        for value in self.ticks(self.y_range):
            yield f'<line x1="{self.left}" y1="{self.y(value):.1f}" x2="{self.left + PLOT_W}" y2="{self.y(value):.1f}" stroke="#eee"/>'
            yield text(self.left - 6, self.y(value) + 4, f"{value:g}", anchor="end", size=10)
        for place, (name, line) in enumerate(self.lines.items()):
            colour = COLOURS[place % len(COLOURS)]
            path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in line)
            yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            for x, y in line:
                yield f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3" fill="{colour}"/>'
            yield text(self.left + 12, TOP + 20 + 16 * place, name, colour=colour)


def text(x, y, words, anchor="start", size=12, weight="normal", colour="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}">'
            f"{html.escape(words)}</text>")


def panels(points):
    closed, latency = {}, {"p50": [], "p99": [], "p99.9": []}
    for row in points:
        if row[0] == "closed":
            closed.setdefault(f"{int(row[1]):,} keys", []).append((float(row[2]), float(row[3])))
        elif row[0] == "open":
            for name, value in zip(latency, row[2:]):
                latency[name].append((float(row[1]), max(float(value), 0.01)))
    if closed:
        yield Panel(LEFT, "one slot's message, closed loop", "connections", "signatures per second", closed)
    if latency["p50"]:
        yield Panel(LEFT + PLOT_W + 110, "open loop, 512 connections", "requests per second", "milliseconds", latency)


def main(log, out):
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for panel in panels(rows(log)):
        parts.extend(panel.draw())
    parts.append("</svg>")
    with open(out, "w", encoding="utf-8") as svg:
        svg.write("\n".join(parts) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: bench_plot.py LOG SVG")
    main(*sys.argv[1:])
