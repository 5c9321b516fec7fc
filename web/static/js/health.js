// Is the server well, what is it doing, and the backup.

import { config } from "./config.js";
import { button, element, replace } from "./element.js";
import { jobCard } from "./jobs.js";
import { notice, showProblem } from "./notice.js";
import { getBlob, getJSON } from "./request.js";
import { catalogue } from "./session.js";
import { integer, t } from "./words.js";

export async function healthTab(body) {
  const began = performance.now();
  const well = await getJSON("/healthz").then((found) => found.ok === true, () => false);
  const milliseconds = Math.round(performance.now() - began);
  const [jobs, layers] = await Promise.all([getJSON("/api/v1/jobs"), catalogue()]);
  const pair = (name, value) => [element("dt", {}, name), element("dd", {}, value)];
  replace(
    body,
    element(
      "section",
      { class: "card" },
      element("h2", {}, t("health.server")),
      element("dl", { class: "pairs" }, pair(t("health.state"), element("span", { class: `tag ${well ? "tag-good" : "tag-bad"}` }, well ? t("health.well") : t("health.ill"))), pair(t("health.answer"), t("health.ms", { n: integer(milliseconds) })), pair(t("made.product"), config.product), pair(t("health.rows"), integer(layers.reduce((sum, layer) => sum + layer.rows, 0)))),
    ),
    element("section", { class: "card" }, element("h2", {}, t("health.backup")), element("p", {}, t("health.backup_note")), button(t("health.backup_do"), backup, { kind: "btn btn-primary", drawing: "download" })),
    element("section", {}, element("h2", {}, t("jobs")), jobs.length ? jobs.slice(0, 20).map((job) => jobCard(job, { oncancelled: () => healthTab(body) })) : element("p", { class: "small-note" }, t("health.no_jobs"))),
  );
}

async function backup() {
  try {
    const { blob, name } = await getBlob("/api/v1/backup", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}", label: t("busy.backup") });
    const link = element("a", { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    notice(t("export.done", { name }));
  } catch (error) {
    showProblem(error);
  }
}
