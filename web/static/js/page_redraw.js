// The editing page: the list of drafts, or one of them open on the map with its tools, figures and decisions.

import { startBasemaps } from "./basemaps.js";
import { startFoot } from "./foot.js";
import { need, refresh, startLayers } from "./layers.js";
import { drawLegend, startLegend } from "./legend.js";
import { fit, startMap } from "./map.js";
import { problemBox, showProblem } from "./notice.js";
import { setPanel, setSheet, startSheet } from "./panel.js";
import { drawColours } from "./redraw_colours.js";
import { closeDraft, draft, onDraft, openDraft } from "./redraw_draft.js";
import { showList } from "./redraw_list.js";
import { repaintAreas, showRefused, startDraftMap } from "./redraw_map.js";
import { endNew, showNew, startParentClicks } from "./redraw_new.js";
import { startDraftPanel } from "./redraw_panel.js";
import { startTools as startDrawing } from "./redraw_tools.js";
import { button, element } from "./element.js";
import { startSearch } from "./search.js";
import { get, set, watch } from "./state.js";
import { startTools } from "./tools.js";
import { t } from "./words.js";

export async function start() {
  startSheet();
  startLegend();
  await startMap();
  startFoot();
  startDraftMap();
  startDraftPanel();
  startDrawing();
  startTools({});
  startSearch();
  startParentClicks();
  onDraft(drawColours);
  watch(["colour"], () => {
    drawColours();
    repaintAreas();
  });
  watch(["draft", "new", "compare", "mend"], show);
  await Promise.all([startLayers(), startBasemaps()]);
  await show();
  drawLegend();
  document.documentElement.dataset.drawn = "yes";
  document.documentElement.dataset.ready = "yes";
}

/** What does not fit, and mending it: of one area, or of all ("all"). */
async function showMending() {
  const { mendingPanel } = await import("./mending.js");
  const opened = get("mend");
  const panel = mendingPanel(opened === "all" ? "" : opened, {
    job: get("mend_job"),
    keep: (id) => get("mend") === opened && set({ mend_job: id }, { step: false }),
    wanted: () => get("mend") === opened && !get("draft") && !get("new"),
    onapplied: () => {
      showRefused(null);
      refresh({ anew: true }).catch(showProblem);
    },
    show: (geometry, bounds) => {
      showRefused(geometry);
      fit(bounds, { maxZoom: 18 });
    },
  });
  setPanel(button(t("drafts.all"), () => set({ mend: "", mend_job: "" }), { kind: "plain back", drawing: "back" }), panel.node);
  setSheet("half");
  await panel.load();
}

/** The panel and the map for the address: one draft, the form of a new one, or the list. */
async function show() {
  const id = Number(get("draft"));
  document.documentElement.dataset.draft = id ? "opening" : "none";
  if (!get("new")) endNew();
  if (get("compare")) {
    // The comparison has the map and the panel to itself until it is over; then the draft opens again.
    closeDraft();
    const { start: compareBoundaries } = await import("./compare.js");
    await compareBoundaries({ show: (nodes) => setPanel(nodes), end: show, linked: Boolean(get("at")) });
    return;
  }
  showRefused(null);
  need(...(get("mend") && !id && !get("new") ? ["grid"] : [])).catch(showProblem);
  if (!id) {
    closeDraft();
    await (get("new") ? showNew() : get("mend") ? showMending() : showList());
  } else if (draft()?.id !== id) {
    try {
      await openDraft(id);
    } catch (error) {
      closeDraft();
      setPanel(button(t("drafts.all"), () => set({ draft: "" }), { kind: "plain back", drawing: "back" }), element("div", {}, problemBox(error, show)));
    }
  }
  document.documentElement.dataset.draft = id && draft() ? "open" : "none";
}
