// The header's menus, signing out, and the language switch that keeps the view.

import { config } from "./config.js";
import { element } from "./element.js";
import { address } from "./state.js";

/** Join `button` and the list after it into a menu: click or arrow opens, Esc and a click elsewhere close. */
export function joinMenu(button, menu) {
  const open = (yes) => {
    menu.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
    if (yes) menu.querySelector("a, button, input, select")?.focus();
  };
  button.addEventListener("click", () => open(menu.hidden));
  document.addEventListener("pointerdown", (event) => {
    if (!menu.hidden && !menu.contains(event.target) && !button.contains(event.target)) open(false);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      open(false);
      button.focus();
      event.stopPropagation();
    }
    const stops = [...menu.querySelectorAll("a, button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && stops.length) {
      event.preventDefault();
      stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
    }
  });
  menu.addEventListener("click", (event) => { if (event.target.closest("[data-closes]")) open(false); });
  return open;
}

/** A button with a menu of [label, function] entries. */
export function menuButton(trigger, entries) {
  const menu = element(
    "div",
    { class: "menu-list", hidden: true },
    entries.map(([label, act]) => element("button", { type: "button", "data-closes": true, onclick: act }, label)),
  );
  const holder = element("div", { class: "menu upwards" }, trigger, menu);
  trigger.setAttribute("aria-expanded", "false");
  joinMenu(trigger, menu);
  return holder;
}

export function startMenus() {
  for (const button of document.querySelectorAll("[data-menu]")) joinMenu(button, button.nextElementSibling);
  for (const link of document.querySelectorAll("[data-language]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const here = address();
      location.assign(`${here}${here.includes("?") ? "&" : "?"}lang=${link.dataset.language}`);
    });
  }
  document.querySelector("[data-act='sign-out']")?.addEventListener("click", signOut);
  const more = document.querySelector(".rail .more");
  more?.addEventListener("click", () => {
    const rail = more.closest(".rail");
    more.setAttribute("aria-expanded", String(rail.classList.toggle("open")));
  });
}

function signOut() {
  const form = element("form", { method: "post", action: "/sign-out", hidden: true }, element("input", { name: "csrf_token", value: config.csrf }));
  document.body.append(form);
  form.submit();
}
