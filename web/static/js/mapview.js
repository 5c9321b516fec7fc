// What the three map pages share, in the order that shows something soonest: the picture first, then what works on it.

import { startBasemaps } from "./basemaps.js";
import { startFoot } from "./foot.js";
import { startLayers } from "./layers.js";
import { drawLegend, startLegend } from "./legend.js";
import { startMap } from "./map.js";
import { showProblem } from "./notice.js";
import { layDrawer, startSheet } from "./panel.js";

/**
 * Start the map of a page.
 *
 * `order()`: kinds a click looks for. `tip(found)`: one line for
 * what is under the pointer. `figure(kind, id)`: the page's figure for the details. `table`: the page's own table or
 * null. `ready`: what the page draws with, awaited together with the layers. `own`: {kind, at(latlng), shape(id),
 * details(id)} for features that only the page knows, such as cells.
 */
export async function startMapView({ ready = null, ...aids }) {
  startSheet();
  layDrawer();
  startLegend();
  await startMap();
  startFoot();
  await Promise.all([startLayers(), ready?.().catch(showProblem), startBasemaps()]);
  drawLegend();
  // Tests and the benchmark wait for these words: the picture is complete; everything works.
  document.documentElement.dataset.drawn = "yes";
  const { startAids } = await import("./mapaids.js");
  startAids(aids);
  document.documentElement.dataset.ready = "yes";
}
