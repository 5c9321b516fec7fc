// Starts what every page has (menus, language, keyboard) and then the page's own module.

import { config } from "./config.js";
import { startKeyboard } from "./keyboard.js";
import { startMenus } from "./menu.js";
import { showProblem } from "./notice.js";

const PAGES = {
  map: () => import("./page_map.js"),
  coverage: () => import("./page_coverage.js"),
  hotspots: () => import("./page_hotspots.js"),
  redraw: () => import("./page_redraw.js"),
  layers: () => import("./page_layers.js"),
  reports: () => import("./page_reports.js"),
  admin: () => import("./page_admin.js"),
};

startMenus();
startKeyboard();
try {
  const page = await PAGES[config.page]?.();
  await page?.start();
} catch (error) {
  showProblem(error);
}
