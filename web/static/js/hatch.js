// Hatches as canvas patterns: "no data" is drawn, never left white.

const made = new Map();
const SIZE_PX = 8;

/** A pattern of diagonal strokes (`slash`) or dots in `color`. */
export function hatch(context, { pattern = "slash", color = "#6B7280" }) {
  const key = `${pattern}|${color}`;
  if (!made.has(key)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = SIZE_PX;
    const pen = tile.getContext("2d");
    pen.strokeStyle = pen.fillStyle = color;
    pen.lineWidth = 1;
    if (pattern === "dots") {
      pen.fillRect(1, 1, 1.4, 1.4);
      pen.fillRect(5, 5, 1.4, 1.4);
    } else {
      pen.beginPath();
      for (const shift of [-SIZE_PX, 0, SIZE_PX]) {
        pen.moveTo(shift, SIZE_PX);
        pen.lineTo(shift + SIZE_PX, 0);
      }
      pen.stroke();
    }
    made.set(key, tile);
  }
  return context.createPattern(made.get(key), "repeat");
}
