/** An eval, or a load, that did not go as the script says. */
export type Failure = {
  readonly file: string;
  readonly line: number;
  readonly query: string;
  /** What was wanted and what came. */
  readonly problem: string;
};
export type FileReport = { readonly file: string; readonly passed: number; readonly failures: readonly Failure[] };

/** Every failure with file and line, a line per file, and the totals as last line. */
export function formatReport(reports: readonly FileReport[]): string {
  const lines: string[] = [];
  for (const { failures } of reports) {
    for (const { file, line, query, problem } of failures) lines.push(`${file}:${line}: ${query}\n    ${problem}`);
  }
  for (const { file, passed, failures } of reports) lines.push(`${file}: ${passed} passed, ${failures.length} failed`);
  const passed = reports.reduce((sum, report) => sum + report.passed, 0);
  const failed = reports.reduce((sum, report) => sum + report.failures.length, 0);
  lines.push(`${passed} passed, ${failed} failed`);
  return `${lines.join("\n")}\n`;
}
