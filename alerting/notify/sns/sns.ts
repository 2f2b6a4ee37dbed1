import { checkAnswer, failed } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { type HttpSender, SendError } from "../http/http-sender.ts";
import { httpIntegration } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { rendered } from "../rendered.ts";
import { type AwsCredentials, AwsIdentity, signedRequest, xmlText } from "./aws-request.ts";
import { type SnsConfig, snsConfig } from "./sns-config.ts";

const MAX_MESSAGE_BYTES = 256 * 1024;
const MAX_SMS_BYTES = 1600;

/** Publishes to a topic, a phone or an endpoint of Amazon SNS. */
export const sns = httpIntegration<SnsConfig>({
  kind: "sns",
  schema: snsConfig,
  sending: (config) => {
    const identity = new AwsIdentity(config.sigv4);
    return (attempt, sender) => send(config, identity, attempt, sender);
  },
});

async function send(
  config: SnsConfig,
  identity: AwsIdentity,
  attempt: Attempt,
  sender: HttpSender,
): Promise<NotifyResult> {
  const region = config.sigv4.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (!region) return failed("region not configured in sns.sigv4.region or in default credentials chain", true);
  const parameters = publishParameters(config, attempt);
  const endpoint = field("api_url", config.api_url, attempt) || `https://sns.${region}.amazonaws.com/`;
  let credentials: AwsCredentials;
  try {
    credentials = await identity.credentials(sender, region, attempt.signal);
  } catch (error) {
    if (error instanceof SendError || attempt.signal.aborted) throw error;
    return failed(`no AWS credentials: ${(error as Error).message}`, true);
  }
  attempt.secrets.remember(credentials.secretAccessKey);
  const request = await signedRequest("sns", endpoint, region, parameters, credentials);
  const answer = await sender.send(request, attempt.signal);
  return checkAnswer(answer, { detail: ({ body }) => xmlText(body, "Message") ?? "" });
}

function field(name: string, template: string, attempt: Attempt): string {
  return rendered(`execute '${name}' template`, () => attempt.text(template));
}

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
function publishParameters(config: SnsConfig, attempt: Attempt): Record<string, string> {
  const text = (name: "topic_arn" | "phone_number" | "target_arn" | "message" | "subject") =>
    field(name, config[name], attempt);
  const attributes = Object.entries(config.attributes).map(
    ([name, value]) => [field("attributes", name, attempt), field("attributes", value, attempt)] as const,
  );
  const topic = text("topic_arn");
  const message = text("message");
  const limit = config.phone_number === "" ? MAX_MESSAGE_BYTES : MAX_SMS_BYTES;
  const isCut = Buffer.byteLength(message) > limit;
  if (isCut) {
    attempt.countCut("message");
    attributes.push(["truncated", "true"]);
  }
  const subject = text("subject");
  const parameters: Record<string, string> = {
    Action: "Publish",
    Version: "2010-03-31",
    ...(topic === "" ? {} : { TopicArn: topic }),
    ...(config.phone_number === "" ? {} : { PhoneNumber: text("phone_number") }),
    ...(config.target_arn === "" ? {} : { TargetArn: text("target_arn") }),
    Message: isCut ? withinBytes(message, limit) : message,
    ...(subject === "" ? {} : { Subject: subject }),
    // Topics with an order want to know what belongs together.
    ...(topic.endsWith(".fifo")
      ? { MessageDeduplicationId: attempt.groupHash, MessageGroupId: attempt.groupHash }
      : {}),
  };
  for (const [i, [name, value]] of attributes.sort(([a], [b]) => (a < b ? -1 : 1)).entries()) {
    const entry = `MessageAttributes.entry.${i + 1}`;
    parameters[`${entry}.Name`] = name;
    parameters[`${entry}.Value.DataType`] = "String";
    parameters[`${entry}.Value.StringValue`] = value;
  }
  return parameters;
}

/** Without breaking a character, which Alertmanager may do. */
function withinBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  let end = maxBytes;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
