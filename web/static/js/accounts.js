// Accounts: who may sign in, with which role, for which areas; one-time passwords are shown once and never again.

import { config } from "./config.js";
import { button, choice, element, replace, table } from "./element.js";
import { openDialog } from "./dialog.js";
import { showProblem } from "./notice.js";
import { getJSON, send } from "./request.js";
import { comma, moment, t } from "./words.js";

export async function accountsTab(body) {
  const accounts = await getJSON("/api/v1/accounts");
  const again = () => accountsTab(body).catch(showProblem);
  replace(
    body,
    element("div", { class: "filters" }, button(t("accounts.add"), () => edit(null, again), { kind: "btn btn-primary", drawing: "plus" })),
    element(
      "div",
      { class: "list-table" },
      table(
        [t("user.name"), t("accounts.role"), t("accounts.areas"), t("accounts.state"), t("accounts.last"), ""],
        accounts.map((account) =>
          element(
            "tr",
            { class: account.disabled ? "quiet" : null },
            [
              element("strong", {}, account.name),
              account.role_label,
              account.areas.length ? account.areas.join(comma) : t("accounts.everywhere"),
              account.disabled ? element("span", { class: "tag tag-bad" }, t("accounts.disabled")) : account.must_change ? element("span", { class: "tag tag-warn" }, t("accounts.must_change")) : element("span", { class: "tag tag-good" }, t("accounts.active")),
              moment(account.last_sign_in_at) || "–",
              element("span", { class: "actions-cell" }, button(t("edit"), () => edit(account, again)), " ", button(t("accounts.reset"), () => reset(account, again)), " ", button(account.disabled ? t("accounts.enable") : t("accounts.disable"), () => change(account.name, { disabled: !account.disabled }, again))),
            ].map((value) => element("td", {}, value)),
          ),
        ),
        { caption: t("admin.accounts") },
      ),
    ),
  );
}

async function change(name, values, then) {
  try {
    const answer = await send("PATCH", `/api/v1/accounts/${encodeURIComponent(name)}`, values);
    then();
    if (answer?.password) showOnce(name, answer.password);
    return true;
  } catch (error) {
    showProblem(error);
    return false;
  }
}

function reset(account, then) {
  openDialog(t("accounts.reset"), element("p", { class: "mb-0" }, t("accounts.reset_lead", { name: account.name })), [[t("cancel"), () => true], [t("accounts.reset"), () => change(account.name, { reset_password: true }, then), true]]);
}

function showOnce(name, password) {
  openDialog(t("accounts.once_title", { name }), [element("p", {}, t("accounts.once")), element("p", { class: "mb-0" }, element("code", { class: "one-time" }, password))], [[t("accounts.noted"), () => true, true]]);
}

function edit(account, then) {
  const name = element("input", { class: "form-control", required: true, maxlength: 64, value: account?.name ?? "", disabled: Boolean(account), autocomplete: "off" });
  const role = choice(Object.entries(config.roles), account?.role ?? "viewer", () => {});
  const areas = element("input", { class: "form-control", value: (account?.areas ?? []).join(", "), placeholder: t("accounts.areas_hint") });
  const language = choice([["zh", "中文"], ["en", "English"]], account?.language ?? "zh", () => {});
  const field = (words, control, note) => element("label", { class: "field" }, element("span", {}, words), control, note && element("small", {}, note));
  openDialog(
    account ? t("accounts.edit", { name: account.name }) : t("accounts.add"),
    [field(t("user.name"), name), field(t("accounts.role"), role), field(t("accounts.areas"), areas, t("accounts.areas_note")), field(t("language"), language)],
    [[t("cancel"), () => true], [t("save"), async () => {
      if (!name.reportValidity()) return false;
      const values = { role: role.value, areas: areas.value.split(/[,，、\s]+/).filter(Boolean), language: language.value };
      if (account) {
        const changed = Object.fromEntries(Object.entries(values).filter(([key, value]) => String(value) !== String(account[key])));
        return Object.keys(changed).length ? change(account.name, changed, then) : true;
      }
      try {
        const made = await send("POST", "/api/v1/accounts", { name: name.value.trim(), ...values });
        then();
        showOnce(made.name, made.password);
        return true;
      } catch (error) {
        showProblem(error);
        return false;
      }
    }, true]],
  );
}
