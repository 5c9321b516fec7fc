// What the three map pages share, started in the order that shows something soonest.

import { startAsOf } from "./asof.js";
import { startBasemaps } from "./basemaps.js";
import { startDetails } from "./details.js";
import { startDrill } from "./drill.js";
import { startLayers } from "./layers.js";
import { startLegend } from "./legend.js";
import { startMap } from "./map.js";
import { isMeasuring } from "./measure.js";
import { showProblem } from "./notice.js";
import { startSheet } from "./panel.js";
import { startSearch } from "./search.js";
import { startSelection } from "./selection.js";
import { layDrawer, startTable, toggleTable } from "./table.js";
import { tipFor } from "./tip.js";
import { startTools } from "./tools.js";

/**
 * Start the map of a page.
 *
 * `layers`: kinds shown when the address names none. `order()`: kinds a click looks for. `tip(found)`: one line for
 * what is under the pointer. `figure(kind, id)`: the page's figure for the details. `table`: the page's own table or
 * null. `ready`: what the page draws with, awaited together with the layers. `own`: {kind, at(latlng), shape(id),
 * details(id)} for features that only the page knows, such as cells.
 */
export async function startMapView({ layers, order, tip, figure, table = null, ready = null, own = null }) {
  startSheet();
  layDrawer();
  startLegend();
  startAsOf();
  await startMap();
  startBasemaps();
  const drawn = startLayers(layers);
  startTools({ ontable: toggleTable });
  startSearch();
  startDrill().catch(showProblem);
  await Promise.all([drawn, ready?.().catch(showProblem)]);
  startSelection({ order, isPaused: isMeasuring, tip: tipFor(tip), own });
  startDetails(figure, own);
  startTable(table);
  // Tests and the benchmark wait for this word.
  document.documentElement.dataset.ready = "yes";
}
