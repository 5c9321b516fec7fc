// The administration page: one tab per duty, the chosen one in the address.

import { accountsTab } from "./accounts.js";
import { auditTab } from "./audit.js";
import { element, replace } from "./element.js";
import { healthTab } from "./health.js";
import { problemBox } from "./notice.js";
import { rulesTab } from "./rulesets.js";
import { settingsTab } from "./settings.js";
import { get, set, watch } from "./state.js";
import { t } from "./words.js";

const TABS = { accounts: accountsTab, rules: rulesTab, settings: settingsTab, audit: auditTab, health: healthTab };

export async function start() {
  watch(["tab"], draw);
  await draw();
  document.documentElement.dataset.ready = "yes";
}

async function draw() {
  const now = get("tab") in TABS ? get("tab") : "accounts";
  const list = document.getElementById("admin-tabs");
  const names = Object.keys(TABS);
  replace(
    list,
    names.map((name) =>
      element(
        "button",
        { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(name === now), "aria-controls": "admin-body", tabindex: name === now ? 0 : -1, onclick: () => set({ tab: name === "accounts" ? "" : name, page: "" }) },
        t(`admin.${name}`),
      ),
    ),
  );
  list.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = names[(names.indexOf(now) + step + names.length) % names.length];
    set({ tab: next === "accounts" ? "" : next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  const body = document.getElementById("admin-body");
  body.setAttribute("aria-labelledby", `tab-${now}`);
  try {
    await TABS[now](body);
  } catch (error) {
    replace(body, problemBox(error, draw));
  }
}
