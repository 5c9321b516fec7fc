// Points by hexagon when there are too many to tell apart: the number stands in each.

const RADIUS_PX = 26;
const SHADES = [0.14, 0.26, 0.42, 0.62];
const INK_FROM = 2;
const NUMBER_PX = [16, 7];

/**
 * Count rows into hexagons of the screen and draw them; the raster hangs on the world, so panning does not shuffle it.
 * Gives the boxes of the numbers on the screen, which names keep clear of.
 */
export function drawHexagons(context, view, points, rows, color) {
  const counted = countHexagons(view, points, rows);
  const most = Math.max(...counted.map((hexagon) => hexagon.count));
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { x, y, count } of counted) {
    const shade = Math.min(SHADES.length - 1, Math.floor((SHADES.length * Math.log(count + 1)) / Math.log(most + 1.001)));
    traceHexagon(context, x, y, RADIUS_PX - 1);
    context.globalAlpha = SHADES[shade];
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
    const text = short(count);
    context.font = `600 ${text.length > 4 ? 11 : 12}px "Noto Sans SC","Noto Sans CJK SC","Microsoft YaHei",system-ui,sans-serif`;
    context.lineWidth = 3;
    if (shade < INK_FROM) {
      context.strokeStyle = "rgba(255,255,255,.85)";
      context.strokeText(text, x, y);
    }
    context.fillStyle = shade < INK_FROM ? "#111827" : "#fff";
    context.fillText(text, x, y);
  }
  return counted.map(({ x, y }) => [x - NUMBER_PX[0], y - NUMBER_PX[1], x + NUMBER_PX[0], y + NUMBER_PX[1]]);
}

/** Centres (screen) and counts of the hexagons that hold any of `rows`. */
export function countHexagons(view, points, rows) {
  const { scale, left, top } = view;
  const wide = RADIUS_PX * Math.sqrt(3);
  const high = RADIUS_PX * 1.5;
  const cells = new Map();
  for (const i of rows) {
    // Nearest of the two candidate centres of a pointy-top raster.
    const px = points.x[i] * scale;
    const py = points.y[i] * scale;
    let r = Math.round(py / high);
    let c = Math.round(px / wide - (r & 1) / 2);
    const dy = py / high - r;
    if (Math.abs(dy) * 3 > 1) {
      const r2 = r + Math.sign(dy);
      const c2 = Math.round(px / wide - (r2 & 1) / 2);
      const far = (row, column) => (px - (column + (row & 1) / 2) * wide) ** 2 + (py - row * high) ** 2;
      if (far(r2, c2) < far(r, c)) [r, c] = [r2, c2];
    }
    const key = r * 16777216 + c;
    cells.set(key, (cells.get(key) ?? 0) + 1);
  }
  return [...cells].map(([key, count]) => {
    const r = Math.floor(key / 16777216);
    const c = key - r * 16777216;
    return { x: (c + (r & 1) / 2) * wide - left, y: r * high - top, count };
  });
}

function traceHexagon(context, x, y, radius) {
  context.beginPath();
  for (let corner = 0; corner < 6; corner++) {
    const angle = (Math.PI / 3) * corner + Math.PI / 6;
    context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  context.closePath();
}

const short = (count) => (count < 10000 ? String(count) : `${Math.round(count / 1000)}k`);
