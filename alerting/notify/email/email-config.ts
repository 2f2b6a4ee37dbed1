import { z } from "zod";
import { canonicalHeader } from "../canonical-header.ts";
import { tlsConfig } from "../http/tls-config.ts";
import { flag, optionalFlag, optionalSecret, optionalText, text, texts } from "../receiver-values.ts";

/** An entry of `email_configs`. */
export const emailConfig = z
  .strictObject({
    send_resolved: flag(false),
    to: text(),
    from: optionalText,
    hello: optionalText,
    smarthost: optionalText,
    auth_username: optionalText,
    auth_password: optionalSecret,
    auth_password_file: optionalText,
    auth_secret: optionalSecret,
    auth_secret_file: optionalText,
    auth_identity: optionalText,
    headers: texts,
    html: text('{{ template "email.default.html" . }}'),
    text: text(),
    require_tls: optionalFlag,
    tls_config: tlsConfig.optional(),
    force_implicit_tls: optionalFlag,
    threading: z
      .strictObject({ enabled: flag(), thread_by_date: text() })
      .default({ enabled: false, thread_by_date: "" }),
  })
  .superRefine((config, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (config.to === "") refuse("missing to address in email config");
    const names = new Set<string>();
    for (const name of Object.keys(config.headers).map(canonicalHeader)) {
      if (names.has(name)) refuse(`duplicate header ${JSON.stringify(name)} in email config`);
      if (!/^[!-9;-~]+$/.test(name)) refuse(`invalid name of a header: ${JSON.stringify(name)}`);
      names.add(name);
    }
    if (config.smarthost !== undefined) {
      const problem = hostPortProblem(config.smarthost);
      if (problem) refuse(problem);
    }
    if (!config.threading.enabled) return;
    for (const name of ["References", "In-Reply-To"]) {
      if (names.has(name)) refuse(`conflicting configuration: threading.enabled conflicts with custom ${name} header`);
    }
    if (!["none", "daily"].includes(config.threading.thread_by_date))
      refuse("threading.thread_by_date must be either 'none' or 'daily'");
  })
  .transform((config) => ({
    ...config,
    headers: Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [canonicalHeader(name), value])),
  }));

export type EmailConfig = z.output<typeof emailConfig>;

export type HostPort = { readonly host: string; readonly port: string };

/** `mail.example.com:587`, `[::1]:25`; undefined when it is none. */
export function parseHostPort(address: string): HostPort | undefined {
  const [, bracketed, plain, port = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/s.exec(address) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || port === "" ? undefined : { host, port };
}

/** In Go's words. */
export function hostPortProblem(address: string): string | undefined {
  if (parseHostPort(address)) return undefined;
  if (address.endsWith(":")) return `address ${JSON.stringify(address)}: port cannot be empty`;
  return `address ${address}: ${address.includes(":") ? "too many colons in address" : "missing port in address"}`;
}
