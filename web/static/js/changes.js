// What was changed when and by whom, from the audit trail; an administrator can take an import back.

import { config } from "./config.js";
import { button, element, replace, table } from "./element.js";
import { openDialog } from "./dialog.js";
import { notice, showProblem } from "./notice.js";
import { getJSON, send } from "./request.js";
import { comma, has, integer, moment, t } from "./words.js";

const SHOWN = 20;
const CAN_UNDO = ["import", "mend"];

/** List the last changes in `holder`; gives the function that lists them again. */
export function startHistory(section, holder, onundone) {
  return async () => {
    const { rows } = await getJSON(`/api/v1/audit?page=1&size=100`, { quiet: true });
    const changes = rows.filter((row) => row.change_id).slice(0, SHOWN);
    const undone = new Set(rows.filter((row) => row.action === "undo").map((row) => row.details?.change ?? row.details?.undone ?? row.change_id));
    section.hidden = !changes.length;
    replace(
      holder,
      element(
        "div",
        { class: "list-table" },
        table(
          [t("history.when"), t("history.who"), t("history.what"), t("history.details"), ""],
          changes.map((row) => [
            moment(row.at),
            row.actor,
            actionWords(row.action),
            detailWords(row.details),
            CAN_UNDO.includes(row.action) && (undone.has(row.change_id) ? element("span", { class: "tag" }, t("history.undone")) : element("span", { class: "actions-cell" }, button(t("history.undo"), () => ask(row, onundone)))),
          ]),
          { caption: t("history") },
        ),
      ),
    );
  };
}

export function actionWords(action) {
  const key = `action.${action}`;
  return has(key) ? t(key) : action;
}

/** The facts of an audit row in one line. */
export function detailWords(details) {
  if (!details || typeof details !== "object") return String(details ?? "");
  const parts = [];
  for (const [name, value] of Object.entries(details)) {
    if (value === null || value === "" || (Array.isArray(value) && !value.length) || ["sha256", "hash", "totals", "source_hash"].includes(name)) continue;
    if (name === "kind" || name === "layer") parts.push(config.kinds[value] ?? value);
    else if (Array.isArray(value)) parts.push(value.map((one) => (typeof one === "object" ? JSON.stringify(one) : config.kinds[one] ?? one)).join(comma));
    else if (typeof value === "object") parts.push(Object.entries(value).map(([key, one]) => `${config.kinds[key] ?? key} ${typeof one === "number" ? integer(one) : typeof one === "object" ? JSON.stringify(one) : one}`).join("，"));
    else if (value === 0) continue;
    else if (typeof value === "number") parts.push(`${name} ${integer(value)}`);
    else parts.push(String(value));
  }
  return parts.join(" · ").slice(0, 300);
}

function ask(row, onundone) {
  openDialog(
    t("history.undo_title"),
    [element("p", {}, t("history.undo_lead", { what: detailWords(row.details), when: moment(row.at), who: row.actor })), element("p", { class: "mb-0" }, t("history.undo_note"))],
    [[t("cancel"), () => true], [t("history.undo"), async () => {
      try {
        await send("POST", `/api/v1/changes/${row.change_id}/undo`);
        notice(t("history.undone_now"));
        onundone();
        return true;
      } catch (error) {
        showProblem(error);
        return false;
      }
    }, true]],
  );
}
