export type JunitSuite = {
  readonly name: string;
  readonly cases: { readonly name: string; readonly failures: readonly string[] }[];
  /** The file itself is wrong. */
  error?: string;
};

/** What unit tests found, as promtool writes it for CI systems (util/junitxml of Prometheus). */
export function junitReport(suites: readonly JunitSuite[]): string {
  return `<testsuites>${suites.map(suiteXml).join("")}</testsuites>`;
}

function suiteXml({ name, cases, error }: JunitSuite): string {
  const failures = cases.reduce((sum, one) => sum + one.failures.length, 0);
  const all =
    error === undefined ? cases.map(caseXml) : [`<testcase name="unknown">${element("error", error)}</testcase>`];
  const counts = `tests="${all.length}" failures="${failures}" errors="${error === undefined ? 0 : 1}" skipped="0"`;
  return `<testsuite name="${escaped(name)}" ${counts} timestamp="${new Date().toISOString().slice(0, 19)}">${all.join("")}</testsuite>`;
}

function caseXml({ name, failures }: JunitSuite["cases"][number]): string {
  return `<testcase name="${escaped(name)}">${failures.map((text) => element("failure", text)).join("")}</testcase>`;
}

function element(name: string, text: string): string {
  return `<${name}>${escaped(text)}</${name}>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

/** XML has no way to say most control characters. */
function escaped(text: string): string {
  const wellFormed = text.toWellFormed().replaceAll(/[^\t\n\r\x20-\uffff]/g, "\ufffd");
  return wellFormed.replaceAll(/[&<>"']/g, (mark) => ENTITIES[mark] as string);
}
