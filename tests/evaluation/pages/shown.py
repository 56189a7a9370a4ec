"""What a browser makes of a page: its width and the contrast of its texts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """Of a shown page: width it needs, and the lowest contrast of any of its texts with where that is."""

    width: int
    contrast: float
    where: str


MEASURE = """
(() => {
  document.querySelectorAll("details").forEach(fold => fold.open = true);
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number)
      .map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  let contrast = 21, where = "";
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || element.closest("svg")) continue;
    const [low, high] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => a - b);
    const found = (high + .05) / (low + .05);
    if (found < contrast) [contrast, where] = [found, texts.currentNode.data];
  }
  return {width: document.documentElement.scrollWidth, contrast, where};
})()
"""
