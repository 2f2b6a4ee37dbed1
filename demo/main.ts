import { DiagConsoleLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import { runDemo } from "./demo.ts";
import { type DemoOptions, HELP, parseOptions, UsageError } from "./options.ts";
import { EndpointError } from "./otlp-sender.ts";
import { Progress } from "./progress.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (!options) {
      console.log(HELP);
      return 0;
    }
    await run(options);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\nTry npm run demo -- --help`);
      return EXIT_USAGE;
    }
    if (!(error instanceof EndpointError)) throw error;
    console.error(`\ndemo: ${error.message}`);
    return EXIT_FAILED;
  }
}

async function run(options: DemoOptions): Promise<void> {
  // Partial success is not an error to the SDK: it only tells its diagnostic log.
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  const failing = options.failing.size > 0 ? `, failing: ${[...options.failing].join(", ")}` : "";
  const history = options.backfillMs > 0 ? `, ${options.backfillMs / 3_600_000} h of history` : "";
  console.log(`a shop with ${options.rate} requests/s on average -> ${options.endpoint}${history}${failing}`);
  if (options.follow && options.durationMs === undefined) console.log("stop with Ctrl-C");
  await runDemo(options, new Progress(process.stdout), stop.signal);
}
