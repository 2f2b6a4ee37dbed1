import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import MailComposer from "nodemailer/lib/mail-composer";
import type { Attempt } from "../attempt.ts";
import { rendered } from "../rendered.ts";
import type { EmailConfig } from "./email-config.ts";

const DEFAULT_SUBJECT = '{{ template "email.default.subject" . }}';

/** Headers and body of the mail, in bytes. Throws `NotificationTemplateError`. */
export async function mailMessage(config: EmailConfig, from: string, to: string, attempt: Attempt): Promise<Buffer> {
  const headers: Record<string, string> = { Subject: DEFAULT_SUBJECT, To: to, From: from, ...config.headers };
  for (const [name, template] of Object.entries(headers)) {
    const isGiven = Object.hasOwn(config.headers, name);
    if (isGiven || name === "Subject")
      headers[name] = rendered(`execute ${JSON.stringify(name)} header template`, () => attempt.text(template));
  }
  const { Subject: subject, To, From, "Message-Id": messageId, Date: date, ...others } = headers;
  const text = rendered("execute text template", () => attempt.text(config.text));
  const html = rendered("execute html template", () => attempt.html(config.html));
  const composer = new MailComposer({
    from: From,
    to: To,
    subject: subject ?? "",
    headers: { ...others, ...threadHeaders(config, attempt) },
    messageId: messageId ?? `<${Date.now()}.${randomBytes(8).toString("hex")}@${hostname()}>`,
    date: date ?? new Date(attempt.notification.nowMs),
    ...(text === "" ? {} : { text }),
    ...(html === "" ? {} : { html }),
    textEncoding: "quoted-printable",
    encoding: "quoted-printable",
    // Nothing of a template may make this server read a file or ask for an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  } as ConstructorParameters<typeof MailComposer>[0]);
  return composer.compile().build();
}

/** All mails of a group, or of a group and a day, answer to a mail that never was: mail programs show them together. */
function threadHeaders({ threading }: EmailConfig, attempt: Attempt): Record<string, string> {
  if (!threading.enabled) return {};
  const day = threading.thread_by_date === "none" ? "" : localDay(attempt.notification.nowMs);
  const root = `<alert-${attempt.groupHash.slice(0, 16)}-${day}@alertmanager>`;
  return { References: root, "In-Reply-To": root };
}

function localDay(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
