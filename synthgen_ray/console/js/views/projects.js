/** All projects that the key sees. */

import { get, send } from "../api.js";
import { submit } from "../components/action.js";
import { field } from "../components/fields.js";
import { searchable } from "../components/search.js";
import { trail } from "../components/trail.js";
import { h } from "../dom.js";
import { moment } from "../format.js";

/** @typedef {import("../types.js").Project} Project */

/** @type {import("../router.js").View} */
export async function projectsView({ signal }) {
  /** @type {import("../types.js").Listed<Project>} */
  const projects = await get("/api/projects?limit=500", signal);
  trail();
  return h("div", { class: "stack-l" },
    h("div", { class: "stack-s" }, h("h1", { tabindex: "-1" }, "Projects"),
      h("p", { class: "quiet" }, "A project holds tables, and the models that were trained on them.")),
    searchable("projects", projects, (project) => project.name, (items) => h("div", { class: "grid" }, ...items.map(projectCard)),
      h("div", { class: "empty" }, h("h2", {}, "No project yet"), h("p", {}, "Name one below; then drop your first table into it."))).element,
    newProject());
}

/** @param {Project} project */
const projectCard = (project) =>
  h("a", { class: "card", href: `#/projects/${project.id}` }, h("h2", {}, project.name),
    h("p", { class: "small quiet" }, project.description || `Made ${moment(project.created_at)}`));

function newProject() {
  const name = h("input", { required: true, maxlength: 255, placeholder: "Card payments" });
  /** @returns {import("../types.js").Call} */
  const call = () => ({ method: "POST", path: "/api/projects", json: { name: name.value || name.placeholder } });
  const { button, place, command, onsubmit } = submit("Make the project", call, async (sent) => {
    const project = await send(sent);
    return `#/projects/${project.id}`;
  });
  return h("form", { class: "card stack", onsubmit }, h("h2", {}, "New project"),
    h("div", { class: "row-end" }, h("div", { class: "grow" }, field("Name", name)), button), place, command);
}
