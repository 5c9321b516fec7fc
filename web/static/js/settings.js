// Settings an administrator may change: plain values, and the list of basemaps as its own small form.

import { button, choice, element, replace } from "./element.js";
import { openDialog } from "./dialog.js";
import { notice, showProblem } from "./notice.js";
import { getJSON, send } from "./request.js";
import { t } from "./words.js";

export async function settingsTab(body) {
  const settings = await getJSON("/api/v1/settings");
  const again = () => settingsTab(body).catch(showProblem);
  const plain = settings.filter((setting) => setting.name !== "BASEMAPS");
  const inputs = new Map(plain.map((setting) => [setting, input(setting)]));
  const basemaps = settings.find((setting) => setting.name === "BASEMAPS");
  const save = async () => {
    const values = {};
    for (const [setting, field] of inputs) {
      const value = read(setting, field.value);
      if (String(value) !== String(setting.value ?? "")) values[setting.name] = value;
    }
    if (Object.keys(values).length) await put(values, again);
  };
  replace(
    body,
    element("section", { class: "card" }, element("h2", {}, t("settings.plain")), element("div", { class: "columns-2" }, [...inputs].map(([setting, field]) => element("label", { class: "field" }, element("span", {}, setting.help), field, element("small", {}, setting.name)))), element("div", { class: "button-row" }, button(t("save"), save, { kind: "btn btn-primary" }))),
    basemaps && basemapCard(basemaps.value ?? [], again),
  );
}

function input(setting) {
  const numeric = typeof setting.default === "number";
  return element("input", { class: "form-control", type: numeric ? "number" : "text", min: numeric ? 0 : null, step: numeric ? 1 : null, value: setting.value ?? "" });
}

function read(setting, text) {
  if (Array.isArray(setting.default)) return text.split(/[,，、]/).map((part) => part.trim()).filter(Boolean);
  return typeof setting.default === "number" ? Number(text) : text.trim();
}

async function put(values, then) {
  try {
    await send("PUT", "/api/v1/settings", { values });
    notice(t("settings.saved"));
    then();
    return true;
  } catch (error) {
    showProblem(error);
    return false;
  }
}

function basemapCard(list, again) {
  return element(
    "section",
    { class: "card" },
    element("h2", {}, t("settings.basemaps")),
    element("p", {}, t("settings.basemaps_note")),
    !list.length && element("p", { class: "small-note" }, t("settings.no_basemaps")),
    list.map((basemap, number) =>
      element(
        "div",
        { class: "job" },
        element("div", {}, element("strong", {}, basemap.name), " ", basemap.datum === "gcj02" && element("span", { class: "tag tag-warn" }, "GCJ-02"), element("div", { class: "small-note" }, basemap.url)),
        element("div", { class: "button-row mt-0" }, button(t("edit"), () => editBasemap(basemap, (made) => put({ BASEMAPS: list.map((one, i) => (i === number ? made : one)) }, again))), button(t("remove"), () => put({ BASEMAPS: list.filter((_one, i) => i !== number) }, again))),
      ),
    ),
    element("div", { class: "button-row" }, button(t("settings.add_basemap"), () => editBasemap({}, (made) => put({ BASEMAPS: [...list, made] }, again)), { drawing: "plus" })),
  );
}

function editBasemap(basemap, save) {
  const text = (name, hint = "") => element("input", { class: "form-control", value: basemap[name] ?? "", placeholder: hint, maxlength: 500 });
  const fields = { name: text("name"), url: text("url", "https://…/{z}/{x}/{y}.png"), labels_url: text("labels_url"), attribution: text("attribution") };
  const datum = choice([["wgs84", t("settings.wgs84")], ["gcj02", t("settings.gcj02")]], basemap.datum ?? "wgs84", () => {});
  openDialog(
    t("settings.basemap"),
    [Object.entries(fields).map(([name, field]) => element("label", { class: "field" }, element("span", {}, t(`basemap.${name}`)), field)), element("label", { class: "field" }, element("span", {}, t("basemap.datum")), datum, element("small", {}, t("base.gcj02_note")))],
    [[t("cancel"), () => true], [t("save"), () => {
      const made = { datum: datum.value };
      for (const [name, field] of Object.entries(fields)) if (field.value.trim()) made[name] = field.value.trim();
      return save(made);
    }, true]],
  );
}
