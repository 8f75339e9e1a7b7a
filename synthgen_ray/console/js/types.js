/**
 * The API's shapes, as far as the console reads them.
 *
 * @typedef {{name: string, kind: string, nullable: boolean, unique: boolean, cardinality: number, pii: string | null,
 *   format: string | null}} Column
 * @typedef {{id: string, name: string, description: string, created_at: string}} Project
 * @typedef {{id: string, project_id: string, name: string, description: string, dataset_version_id: string,
 *   version: number, num_rows: number, num_columns: number, size_bytes: number, created_at: string}} Dataset
 * @typedef {{id: string, dataset_id: string, version: number, num_rows: number, num_columns: number,
 *   size_bytes: number, columns: Column[], warnings: {code: string, message: string}[]}} Version
 * @typedef {{generated_rows: number, training_seconds: number, storage_bytes: number, pending_jobs: number}} Usage
 * @typedef {{column_shapes: number | null, pair_trends: number | null}} Quality
 * @typedef {{id: string, name: string, model_type: string, status: string, dataset_name: string | null,
 *   dataset_version: number | null, created_at: string}} ModelItem
 * @typedef {ModelItem & {project_id: string, config: {[name: string]: unknown}, dataset_id: string | null,
 *   quality: Quality | null}} Model
 * @typedef {{id: string, job_type: string, status: string, created_at: string}} ModelJob
 * @typedef {{code: string, message: string, retryable: boolean}} Failure
 * @typedef {{id: string, model_id: string, model_name: string, model_type: string, job_type: string, status: string,
 *   config: {[name: string]: any}, error: Failure | null, created_at: string}} JobItem
 * @typedef {JobItem & {project_name: string, progress: number, message: string, losses: {[name: string]: number},
 *   cancelled: boolean, eta_seconds: number | null, started_at: string | null, finished_at: string | null,
 *   result: {num_rows: number, format: string, size_bytes: number} | null}} Job
 * @typedef {{verdict: string, column_shapes: number | null, pair_trends: number | null, detection_auc: number | null,
 *   utility: number | null, utility_real: number | null, copies: number | null, distance_share: number | null}} Scores
 * @typedef {{id: string, project_id: string, entity_id: string, status: string, progress: number, message: string,
 *   error: Failure | null, scores: Scores | null, created_at: string}} Report
 * @typedef {{job_type: string, pending: number, running: number, completed: number, failed: number,
 *   oldest_pending_seconds: number | null}} QueueFigures
 * @typedef {{id: string, job_type: string, model_name: string, project_id: string, project_name: string,
 *   attempt: number}} StatusJob
 * @typedef {StatusJob & {progress: number, message: string, started_at: string | null, eta_seconds: number | null}} RunningJob
 * @typedef {StatusJob & {finished_at: string | null, error: Failure | null}} FailedJob
 * @typedef {{version: string, checks: {name: string, ok: boolean, code: string | null, detail: string | null}[],
 *   disk: {free_bytes: number, total_bytes: number, needed_bytes: number} | null, queue: QueueFigures[] | null,
 *   running: RunningJob[] | null, failed: FailedJob[] | null}} ServerStatus
 * @typedef {{type?: string, anyOf?: Option[], enum?: unknown[], default?: unknown, description?: string,
 *   minimum?: number, maximum?: number, exclusiveMinimum?: number, title?: string}} Option
 * @typedef {{id: string, name: string, description: string,
 *   config_schema: {properties: {[name: string]: Option}}}} ModelType
 *
 * @typedef {string | number | bigint | boolean | null} Scalar
 * @typedef {Scalar | Scalar[] | {min?: number | bigint | string, max?: number | bigint | string}} Condition
 * @typedef {{[column: string]: Condition}} Conditions
 * @typedef {{[column: string]: Scalar}} Row
 *
 * @typedef {{kind: "range" | "category" | "rest" | "null", label: string | null, low: number | string | null,
 *   high: number | string | null, real: number, synthetic: number}} Bin
 * @typedef {{value: number | null}} Measure
 * @typedef {{name: string, kind: string, shape: Measure, coverage: Measure, validity: Measure,
 *   distribution: Bin[]}} ColumnResult
 * @typedef {{columns: [string, string], related: boolean, trend: Measure}} PairResult
 * @typedef {{columns: string[], real: number[][], synthetic: number[][], difference: number[][]}} Associations
 * @typedef {{level: string, area: string, sentence: string, advice: string}} Finding
 * @typedef {{scope: {real_rows: number, synthetic_rows: number, holdout_rows: number | null}, verdict: Finding[],
 *   columns: ColumnResult[], pairs: PairResult[], associations: Associations}} Assessment
 */

/**
 * A call of the API: what is sent, and what the curl command beside its button says.
 * @typedef {{method: "GET" | "POST" | "PATCH" | "DELETE", path: string, json?: unknown,
 *   form?: {[name: string]: string | File}, to?: string}} Call `to` is the file that the command writes.
 */

/** @template T @typedef {{items: T[], total: number}} Listed */

export {};
