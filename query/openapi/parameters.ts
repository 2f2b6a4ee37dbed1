type Schema = Readonly<Record<string, unknown>>;
export type Parameter = { readonly description: string; readonly schema: Schema };

const STRING = { type: "string" };
const STRINGS = { type: "array", items: STRING };
const BOOLEAN = { type: "boolean" };
const COUNT = { type: "integer", minimum: 0 };
const TIME = {
  oneOf: [
    { type: "string", format: "date-time" },
    { type: "number", format: "unixtime" },
  ],
};
const DURATION = { oneOf: [{ type: "string", format: "duration" }, { type: "number" }] };

/** Every parameter by its name; it means the same wherever it is taken. */
export const PARAMETERS: Readonly<Record<string, Parameter>> = {
  query: { description: "Text in PromQL; about logs in LogQL", schema: STRING },
  time: {
    description: "When to evaluate, now if missing: seconds since the epoch or RFC 3339; of a log record also ns",
    schema: TIME,
  },
  start: { description: "First moment: seconds since the epoch or RFC 3339", schema: TIME },
  end: { description: "Last moment: seconds since the epoch or RFC 3339", schema: TIME },
  step: { description: "Time between two steps: seconds or a duration such as 1m30s", schema: DURATION },
  timeout: { description: "How long it may take, at most query.timeout_ms", schema: DURATION },
  limit: { description: "Most items of the answer; 0 or missing: no limit of its own", schema: COUNT },
  offset: { description: "Items to leave out at the beginning of each list", schema: COUNT },
  lookback_delta: { description: "How far back the newest sample of a series may lie", schema: DURATION },
  stats: { description: "Statistics in the answer", schema: { type: "string", enum: ["true", "all"] } },
  nocache: { description: "1: evaluate everything, whatever the results cache has", schema: STRING },
  "match[]": { description: "Series selectors; a series counts that fits any of them", schema: STRINGS },
  metric: { description: "Name of one metric", schema: STRING },
  limit_per_metric: { description: "Most entries for one metric", schema: COUNT },
  type: { description: "Kind of rules", schema: { type: "string", enum: ["alert", "record"] } },
  "rule_name[]": { description: "Names of rules", schema: STRINGS },
  "rule_group[]": { description: "Names of groups", schema: STRINGS },
  "file[]": { description: "Files of groups", schema: STRINGS },
  exclude_alerts: { description: "Leave out active alerts", schema: BOOLEAN },
  group_limit: { description: "Groups in one page", schema: { type: "integer", minimum: 1 } },
  group_next_token: { description: "groupNextToken of the page before", schema: STRING },
  state: { description: "Targets in this state", schema: { type: "string", enum: ["active", "dropped", "any"] } },
  scrapePool: { description: "Name of a scrape pool", schema: STRING },
  labels: { description: "Labels of a target, as JSON", schema: STRING },
  match_target: { description: "A selector that a target's labels must fit", schema: STRING },
  window: {
    description: "Length of time that is looked at: for churn 1h if missing, around a log record 24h",
    schema: DURATION,
  },
  id: { description: "Number of the query", schema: { type: "integer" } },
  by: { description: "What most means", schema: { type: "string", enum: ["time", "samples", "count"] } },
  label: { description: "Name of the label", schema: STRING },
  name: { description: "Name of the label or attribute", schema: STRING },
  "search[]": { description: "What was typed; what fits any of them is found", schema: STRINGS },
  fuzz_threshold: { description: "Lowest score in percent", schema: { type: "integer", minimum: 0, maximum: 100 } },
  fuzz_alg: { description: "How to compare", schema: { type: "string", enum: ["subsequence", "jarowinkler"] } },
  case_sensitive: { description: "Tell capitals from small letters, true if missing", schema: BOOLEAN },
  include_score: { description: "Scores in the answer", schema: BOOLEAN },
  include_metadata: { description: "Type, unit and help in the answer", schema: BOOLEAN },
  sort_by: { description: "Order", schema: { type: "string", enum: ["alpha", "score"] } },
  sort_dir: { description: "Ascending or descending", schema: { type: "string", enum: ["asc", "dsc"] } },
  batch_size: { description: "Items in one line of the answer", schema: { type: "integer", minimum: 1 } },
  since: { description: "Length of time up to the end, instead of start, 1h if missing", schema: DURATION },
  records: { description: "Newest records to look at, at most query.logs.max_mined_lines", schema: COUNT },
  line: { description: "Text of the log line that is meant, of several of one time", schema: STRING },
  scope: {
    description: "Whose records: those of the stream if missing",
    schema: { type: "string", enum: ["stream", "service", "host"] },
  },
  before: { description: "Records before it, 10 if missing", schema: COUNT },
  after: { description: "Records after it, 10 if missing", schema: COUNT },
  baselineStart: {
    description: "Beginning of the baseline; if missing it is as long as the other period",
    schema: TIME,
  },
  baselineEnd: { description: "End of the baseline, the start of the other period if missing", schema: TIME },
  factor: {
    description: "How many times the share must be more or less, 2 if missing",
    schema: { type: "number", minimum: 1 },
  },
  signal: { description: "What has the attributes", schema: { type: "string", enum: ["logs", "traces", "metrics"] } },
  prefix: { description: "What names begin with; with name, what values begin with", schema: STRING },
  skip_head: { description: "Leave out what is in memory only", schema: BOOLEAN },
};
