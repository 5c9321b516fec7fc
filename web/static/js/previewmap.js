// The first positions of a file on the map, beside the place's own outline: a wrong coordinate system shows at once.

import { fit, map, startMap } from "./map.js";
import { getJSON } from "./request.js";
import { session } from "./session.js";
import { ShapeLayer, toShapes } from "./shapes.js";
import { shapeStyle } from "./styles.js";

let outline = null;
let sample = null;

export async function showOnMap(holder, points, crs) {
  const degrees = points.filter(([x, y]) => Math.abs(x) <= 180 && Math.abs(y) <= 90);
  holder.hidden = !degrees.length;
  if (!degrees.length) return;
  if (!outline) {
    await startMap({ remember: false });
    outline = new ShapeLayer({ style: (shape) => shapeStyle("township", shape) });
    const { place } = await session();
    const kind = place.bounds ? "township" : null;
    if (kind) getJSON(`/features/${kind}?columns=name&tolerance_m=50`, { quiet: true }).then((found) => outline.setShapes(toShapes(found))).catch(() => {});
    outline.addTo(map);
    sample = new ShapeLayer({ pane: "points", style: () => ({ line: "#B30000", dot: "#B30000", size: 3.5 }) });
    sample.addTo(map);
  }
  map.invalidateSize();
  sample.setShapes(toShapes({ features: degrees.map((point, id) => ({ id, geometry: { type: "Point", coordinates: point }, properties: { crs } })) }));
  const { place } = await session();
  const xs = degrees.map(([x]) => x);
  const ys = degrees.map(([, y]) => y);
  const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  const whole = place.bounds ? [Math.min(box[0], place.bounds[0]), Math.min(box[1], place.bounds[1]), Math.max(box[2], place.bounds[2]), Math.max(box[3], place.bounds[3])] : box;
  fit(whole, { animate: false });
}
