// Fields of view of cameras, close up only: where they look and how far, as recorded.

import { CanvasLayer } from "./canvaslayer.js";
import { config } from "./config.js";
import { chosen } from "./layers.js";
import { map, windowText } from "./map.js";
import { worldX, worldY } from "./mercator.js";
import { showProblem } from "./notice.js";
import { getJSON, isCancelled, query } from "./request.js";
import { get, watch } from "./state.js";

const FROM_ZOOM = 16;
const EQUATOR_M = 40075016.7;
const USUAL_VIEW_DEG = 60;
let layer = null;
let asked = null;

const SectorLayer = CanvasLayer.extend({
  options: { pane: "density" },

  draw(context, view) {
    const { online, sector_opacity: opacity } = config.cartography.camera;
    context.fillStyle = online.color;
    context.globalAlpha = opacity;
    for (const { geometry, properties } of this.cameras ?? []) {
      const { azimuth, range_m: range, view_deg: wide = USUAL_VIEW_DEG } = properties;
      if (!geometry || !range || azimuth === undefined) continue;
      const [longitude, latitude] = geometry.coordinates;
      const x = worldX(longitude) * view.scale - view.left;
      const y = worldY(latitude) * view.scale - view.top;
      const radius = ((range / EQUATOR_M) * 256 * view.scale) / Math.cos((latitude * Math.PI) / 180);
      // Azimuths run clockwise from north, canvas angles clockwise from east.
      const middle = ((azimuth - 90) * Math.PI) / 180;
      const half = (Math.min(wide, 360) * Math.PI) / 360;
      context.beginPath();
      if (wide < 360) context.moveTo(x, y);
      context.arc(x, y, radius, middle - half, middle + half);
      context.closePath();
      context.fill();
    }
    context.globalAlpha = 1;
  },
});

export function startSectors() {
  map.on("moveend", show);
  watch(["layers", "as_of"], show);
  show();
}

async function show() {
  asked?.abort();
  if (map.getZoom() < FROM_ZOOM || !chosen().includes("camera")) {
    layer?.remove();
    return;
  }
  asked = new AbortController();
  try {
    const parameters = { bbox: windowText(0.2), as_of: get("as_of"), columns: "azimuth,range_m,view_deg", where: "range_m is not null and azimuth is not null" };
    const found = await getJSON(`/features/camera${query(parameters)}`, { signal: asked.signal, quiet: true });
    layer ??= new SectorLayer();
    layer.cameras = found.features;
    if (map.hasLayer(layer)) layer.repaint();
    else layer.addTo(map);
  } catch (error) {
    if (!isCancelled(error)) showProblem(error);
  }
}
