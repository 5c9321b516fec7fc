// What the map pages need only once the picture stands: clicking, searching, measuring, the table.

import { startAsOf } from "./asof.js";
import { startDetails } from "./details.js";
import { startDrill } from "./drill.js";
import { onKey } from "./keyboard.js";
import { isMeasuring, toggleMeasure } from "./measure.js";
import { showProblem } from "./notice.js";
import { startSearch } from "./search.js";
import { startSectors } from "./sectors.js";
import { startSelection } from "./selection.js";
import { set } from "./state.js";
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
  startSectors();
  onKey("Escape", () => {
    document.activeElement?.blur?.();
    if (isMeasuring()) toggleMeasure();
    else set({ sel: "" });
  });
}
