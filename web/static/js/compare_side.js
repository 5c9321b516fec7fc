// A second map beside the first (below it on phones) that follows it and is followed by it.

import { copyBasemap } from "./basemaps.js";
import { config } from "./config.js";
import { element } from "./element.js";
import { LabelLayer } from "./labels.js";
import { PANES } from "./map.js";
import { ShapeLayer } from "./shapes.js";
import { putInPlace } from "./tiles.js";

const L = window.L;
const PHONE_PX = 600;
const AIR = 0.2;

/**
 * Open the second map in `holder`. `draw({shape, tiles, labels})` fills it: `shape(pane, shapes, style)` adds a layer,
 * `tiles(kind, layer, without)` the tiles of a layer of the first map but for some areas, `labels(kind, shapes)` names. `refit`: what was in view stays in view. Returns {redraw, end}.
 */
export function startSide({ map, holder, draw, refit }) {
  const seen = uncovered(map, holder);
  const whole = map.getZoom();
  const box = element("div", { class: "second-map", id: "map-second" });
  holder.append(box);
  holder.classList.add("beside");
  map.invalidateSize({ animate: false, pan: false });
  // A view has air around what it shows: half a window holds that at one step less.
  if (refit) map.fitBounds(seen.pad(-AIR), { animate: false });
  const halved = map.getZoom();
  if (window.innerWidth <= PHONE_PX) document.getElementById("legend")?.classList.add("folded");
  const { zoomSnap, zoomDelta, minZoom, maxZoom, preferCanvas } = map.options;
  const second = L.map(box, { zoomControl: false, attributionControl: false, zoomSnap, zoomDelta, minZoom, maxZoom, preferCanvas });
  for (const [name, order] of Object.entries({ ...PANES, compare: PANES.areas + 10 })) {
    const pane = second.createPane(name);
    pane.style.zIndex = order;
    pane.style.pointerEvents = "none";
  }
  second.setView(map.getCenter(), map.getZoom(), { animate: false });
  copyBasemap(second);
  const names = new LabelLayer().addTo(second);
  let drawn = [];
  const copies = new Map();
  const redraw = () => {
    drawn.forEach((layer) => layer.remove());
    drawn = [];
    const gone = new Set(copies.keys());
    names.sources.clear();
    draw({
      shape(pane, shapes, style) {
        const layer = new ShapeLayer({ pane, style }).addTo(second);
        layer.setShapes(shapes);
        drawn.push(layer);
      },
      // Tiles that are there stay: they are asked for once.
      tiles(kind, layer, without) {
        gone.delete(kind);
        const former = copies.get(kind);
        if (former?.of !== layer) copies.set(kind, { of: layer, copy: putInPlace(second, layer.copy(), former?.copy) });
        copies.get(kind).copy.leaveOut(without);
      },
      labels: (kind, shapes) => config.cartography.labels[kind] && names.setSource(kind, shapes),
    });
    for (const kind of gone) {
      copies.get(kind).copy.remove();
      copies.delete(kind);
    }
  };
  let following = false;
  const follow = (from, to) => () => {
    if (following) return;
    following = true;
    to.setView(from.getCenter(), from.getZoom(), { animate: false });
    following = false;
  };
  const lead = follow(map, second);
  map.on("move", lead);
  second.on("move", follow(second, map));
  const sized = new ResizeObserver(() => second.invalidateSize({ pan: false }));
  sized.observe(box);
  redraw();
  return {
    redraw,
    end() {
      map.off("move", lead);
      sized.disconnect();
      second.remove();
      box.remove();
      holder.classList.remove("beside");
      map.invalidateSize({ animate: false, pan: false });
      if (refit && map.getZoom() === halved) map.setView(map.getCenter(), whole, { animate: false });
    },
  };
}

/** What is seen of the map: on phones its lower part lies under the sheet. */
function uncovered(map, holder) {
  if (window.innerWidth > PHONE_PX) return map.getBounds();
  const sheet = document.getElementById("panel").getBoundingClientRect().top;
  const size = map.getSize();
  const low = Math.min(size.y, Math.max(1, sheet - holder.getBoundingClientRect().top));
  return L.latLngBounds(map.containerPointToLatLng([0, 0]), map.containerPointToLatLng([size.x, low]));
}
