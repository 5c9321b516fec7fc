// What the map pages need only once the picture stands: clicking, searching, measuring, the table.

import { startAsOf } from "./asof.js";
import { startDetails } from "./details.js";
import { startDrill } from "./drill.js";
import { isMeasuring } from "./measure.js";
import { showProblem } from "./notice.js";
import { startSearch } from "./search.js";
import { startSelection } from "./selection.js";
import { startTable, toggleTable } from "./table.js";
import { tipFor } from "./tip.js";
import { startTools } from "./tools.js";

export function startAids({ order, tip, figure, table = null, own = null }) {
  startTools({ ontable: toggleTable });
  startAsOf();
  startSearch();
  startDrill().catch(showProblem);
  startSelection({ order, isPaused: isMeasuring, tip: tipFor(tip), own });
  startDetails(figure, own);
  startTable(table);
}
