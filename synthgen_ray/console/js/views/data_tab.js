/** The tables of a project, and where the next one is dropped. */

import { get, upload } from "../api.js";
import { curl } from "../components/curl.js";
import { notify } from "../components/notices.js";
import { showProblem } from "../components/problem.js";
import { progress } from "../components/progress.js";
import { searchable } from "../components/search.js";
import { fill, h } from "../dom.js";
import { count, moment, percent, size } from "../format.js";
import { go } from "../router.js";

/** @typedef {import("../types.js").Dataset} Dataset */

/** @param {import("./project.js").Tab} tab */
export async function dataTab({ project, signal }) {
  /** @type {import("../types.js").Listed<Dataset>} */
  const datasets = await get(`/api/datasets?project_id=${project.id}&limit=500`, signal);
  return h("div", { class: "stack" }, dropZone(project.id, signal),
    searchable("tables", datasets, (dataset) => dataset.name, (items) => h("ul", { class: "list" }, ...items.map(line)),
      h("div", { class: "empty" }, h("h2", {}, "No table yet"), h("p", {}, "Drop a CSV or Parquet file above. You will see its columns before anything is trained."))).element);
}

/** @param {Dataset} dataset */
const line = (dataset) => h("li", {},
  h("div", { class: "main" }, h("a", { href: `#/datasets/${dataset.id}` }, dataset.name), dataset.version > 0 && h("span", { class: "small quiet" }, ` version ${dataset.version}`)),
  h("span", { class: "small quiet tabular" }, `${count(dataset.num_rows)} rows × ${dataset.num_columns} columns · ${size(dataset.size_bytes)} · ${moment(dataset.created_at)}`),
  h("a", { class: "button", href: `#/datasets/${dataset.id}/train` }, "Train", h("span", { class: "sr-only" }, ` on ${dataset.name}`)));

/** @param {string} projectId @param {AbortSignal} signal */
function dropZone(projectId, signal) {
  const input = h("input", { type: "file", class: "sr-only", accept: ".csv,.gz,.parquet,.tsv,.txt", onchange: () => take(input.files?.[0]) });
  const place = h("div", { "aria-live": "polite" });
  const zone = h("label", { class: "drop" }, input, h("strong", {}, "Drop a table here, or choose a file"),
    h("span", { class: "small quiet" }, "CSV with a header, CSV.gz or Parquet"));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take(event.dataTransfer?.files[0]);
  });

  let last = new File([], "payments.csv");
  /** @returns {import("../types.js").Call} */
  const call = () => ({ method: "POST", path: "/api/datasets/upload", form: { project_id: projectId, name: nameOf(last), file: last } });

  /** @param {File} [file] */
  async function take(file) {
    if (!file || input.disabled) return; // one at a time
    const bar = progress(`Uploading ${file.name}`);
    fill(place, bar.element);
    input.disabled = true;
    last = file;
    try {
      const made = await upload(call(), (share) =>
        bar.show(share, share < 1 ? `${file.name}: ${percent(share)} of ${size(file.size)}` : `${file.name}: reading the table…`));
      if (signal.aborted) notify(`${file.name} is uploaded.`);
      else go(`#/datasets/${made.dataset_id}`);
    } catch (error) {
      showProblem(place, error);
    } finally {
      input.disabled = false;
      input.value = "";
    }
  }
  return h("div", { class: "stack" }, zone, place, curl(call, "Upload a table"));
}

/** @param {File} file */
const nameOf = (file) => file.name.replace(/\.(csv|parquet|tsv|txt)?(\.gz)?$/i, "") || file.name;
