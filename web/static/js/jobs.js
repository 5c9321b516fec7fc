// Long work: progress as it is, cancel, and what came of it. Asked again only while something runs.

import { button, element, replace, table } from "./element.js";
import { openDialog } from "./dialog.js";
import { notice, showProblem } from "./notice.js";
import { getJSON, send } from "./request.js";
import { config } from "./config.js";
import { integer, moment, t } from "./words.js";

const PAUSE_MS = 1000;
const RUNNING = ["queued", "running"];
const STATE_TAGS = { done: "tag-good", failed: "tag-bad", refused: "tag-bad", cancelled: "", running: "tag-warn", queued: "" };

/** Follow one job until it ends; `onprogress(job)` after every look. Gives null as soon as it is not `wanted()` any more. */
export async function followJob(id, onprogress, { wanted = () => true } = {}) {
  for (;;) {
    if (!wanted()) return null;
    const job = await getJSON(`/api/v1/jobs/${encodeURIComponent(id)}`, { quiet: true });
    onprogress(job);
    if (!RUNNING.includes(job.state)) return job;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** One job with its bar, message and buttons. */
export function jobCard(job, { oncancelled } = {}) {
  const running = RUNNING.includes(job.state);
  const percent = Math.round((job.progress ?? 0) * (job.progress > 1 ? 1 : 100));
  return element(
    "div",
    { class: "job", role: "status" },
    element(
      "div",
      {},
      element("strong", {}, job.name || t(`job.${job.kind}`)),
      " ",
      element("span", { class: `tag ${STATE_TAGS[job.state] ?? ""}` }, t(`state.${job.state}`)),
      element("div", { class: "small-note" }, [config.kinds[job.layer] ?? job.layer, job.dry_run ? t("job.dry_run") : "", outcome(job) || job.message].filter(Boolean).map((fact) => `${fact} · `), element("time", {}, moment(job.finished_at ?? job.started_at ?? job.submitted_at))),
    ),
    element(
      "div",
      { class: "button-row mt-0" },
      job.findings > 0 && button(t("findings.show", { n: integer(job.findings) }), () => openFindings(job)),
      running && button(t("cancel"), () => cancelJob(job.id, oncancelled)),
    ),
    running && element("div", { class: "progress", role: "progressbar", "aria-valuenow": percent, "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": job.name || job.kind }, element("div", { class: "progress-bar", style: { width: `${percent}%` } })),
  );
}

function outcome(job) {
  const result = job.result;
  if (!result || result.rows_read === undefined) return "";
  if (result.already_imported) return t("job.already");
  return t(result.stored ? "job.stored" : "job.not_stored", { read: integer(result.rows_read), stored: integer(result.rows_stored), closed: integer(result.rows_closed ?? 0) });
}

async function cancelJob(id, then) {
  try {
    await send("POST", `/api/v1/jobs/${encodeURIComponent(id)}/cancel`);
    notice(t("job.cancelled"));
    then?.();
  } catch (error) {
    showProblem(error);
  }
}

/** Findings as a table: row, column, what, mend; errors first. */
export function findingsTable(findings) {
  const rank = { error: 0, warning: 1, info: 2 };
  const tags = { error: "tag-bad", warning: "tag-warn", info: "" };
  const ordered = [...findings].sort((a, b) => rank[a.severity] - rank[b.severity]);
  return element(
    "div",
    { class: "scroll-box" },
    table(
      [t("findings.severity"), t("findings.row"), t("findings.column"), t("findings.what"), t("findings.mend")],
      ordered.map((one) => [element("span", { class: `tag ${tags[one.severity]}` }, t(`severity.${one.severity}`)), one.row || "", [one.column, one.code].filter(Boolean).join(" "), one.what, one.mend]),
      { numeric: [1], caption: t("findings") },
    ),
  );
}

async function openFindings(job) {
  try {
    const full = job.first_findings ? job : await getJSON(`/api/v1/jobs/${encodeURIComponent(job.id)}`);
    const address = `/api/v1/jobs/${encodeURIComponent(job.id)}/findings`;
    openDialog(t("findings.of", { name: job.name }), [
      element("p", {}, t("findings.count", { all: integer(job.findings), errors: integer(job.errors) })),
      findingsTable(full.first_findings),
      element("div", { class: "button-row" }, element("a", { class: "btn btn-outline-secondary btn-sm", href: `${address}.csv`, download: true }, "CSV"), element("a", { class: "btn btn-outline-secondary btn-sm", href: `${address}.json`, download: true }, "JSON")),
    ]);
  } catch (error) {
    showProblem(error);
  }
}

/** The reader's jobs in `holder`; looks again while one runs, and calls `onended` when one has ended. */
export function startJobs(section, holder, onended) {
  let running = 0;
  const look = async () => {
    try {
      const jobs = await getJSON("/api/v1/jobs", { quiet: true });
      const now = jobs.filter((job) => RUNNING.includes(job.state)).length;
      section.hidden = !jobs.length;
      replace(holder, jobs.slice(0, 5).map((job) => jobCard(job, { oncancelled: look })));
      if (now < running) onended();
      running = now;
      if (now) setTimeout(look, PAUSE_MS);
    } catch (error) {
      showProblem(error);
    }
  };
  look();
  return look;
}
