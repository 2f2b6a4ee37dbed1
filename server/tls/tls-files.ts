import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions, type SecureVersion } from "node:tls";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { Counter, Gauge, type Registry } from "prom-client";

/** A PEM file and the setting that names it. */
export type TlsFile = { readonly setting: string; readonly path: string };

export type TlsFilesOptions = {
  readonly cert: TlsFile;
  readonly key: TlsFile;
  /** Of certificates that the other side must show; an empty path: it need not. */
  readonly ca: TlsFile;
  readonly minVersion: SecureVersion;
  readonly logger: Logger;
  readonly registry: Registry;
};

const EXPIRES = "sightline_tls_certificate_expires_timestamp_seconds";
const RELOADS = "sightline_tls_reloads_total";
const CHECK_INTERVAL_MS = 1_000;

/**
 * A certificate, its key and the CA of those whom it is shown to, read again when the files change. What can't be used (a
 * certificate without its key yet, a half-written file) is reported, and the one before stays.
 */
export class TlsFiles implements Component {
  readonly name = "TLS files";
  readonly #options: TlsFilesOptions;
  readonly #listeners = new Set<(context: SecureContextOptions) => void>();
  readonly #expires: Gauge<"setting">;
  readonly #reloads: Counter<"setting" | "result">;
  #context: SecureContextOptions | undefined;
  #fingerprint = "";
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> = Promise.resolve();

  constructor(options: TlsFilesOptions) {
    this.#options = options;
    const { registry } = options;
    const registers = [registry];
    // A process may have several certificates.
    this.#expires =
      (registry.getSingleMetric(EXPIRES) as Gauge<"setting"> | undefined) ??
      new Gauge({
        name: EXPIRES,
        help: "When the certificate in use ends to be valid",
        labelNames: ["setting"],
        registers,
      });
    this.#reloads =
      (registry.getSingleMetric(RELOADS) as Counter<"setting" | "result"> | undefined) ??
      new Counter({
        name: RELOADS,
        help: "Changes of the TLS files that were noticed: loaded, or failed and not used",
        labelNames: ["setting", "result"],
        registers,
      });
  }

  /** Whether a client must show a certificate of the client CA. */
  get requiresClientCertificate(): boolean {
    return this.#options.ca.path !== "";
  }

  /** Calls `listener` with what is read at the start, and each time the files have changed since. */
  subscribe(listener: (context: SecureContextOptions) => void): void {
    this.#listeners.add(listener);
    if (this.#context) listener(this.#context);
  }

  /** Throws `InvalidInputError` naming the setting whose file can't be used. */
  async start(): Promise<void> {
    this.#fingerprint = await this.#fingerprintNow();
    this.#use(this.#read());
    const check = () => {
      this.#checking = this.#check().finally(() => {
        if (this.#timer !== undefined) this.#timer = setTimeout(check, CHECK_INTERVAL_MS);
      });
    };
    this.#timer = setTimeout(check, CHECK_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#checking;
  }

  async #check(): Promise<void> {
    // Taken before the files are read: a change meanwhile is noticed the next time.
    const fingerprint = await this.#fingerprintNow();
    if (fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    const { cert, logger } = this.#options;
    const { setting } = cert;
    try {
      this.#use(this.#read());
      this.#reloads.inc({ setting, result: "loaded" });
      logger.info("TLS files have changed and are in use", { setting });
    } catch (error) {
      this.#reloads.inc({ setting, result: "failed" });
      logger.warn("TLS files have changed and can't be used: those before stay in use", { error });
    }
  }

  /** Polled, because the links that orchestrators swap are not seen reliably by watching a file. */
  async #fingerprintNow(): Promise<string> {
    const { cert, key, ca } = this.#options;
    const parts = [cert, key, ca].map(async ({ path }) => {
      if (path === "") return "";
      try {
        const { mtimeMs, size, ino } = await stat(path);
        return `${mtimeMs} ${size} ${ino}`;
      } catch (error) {
        return String((error as NodeJS.ErrnoException).code);
      }
    });
    return (await Promise.all(parts)).join(";");
  }

  #read(): SecureContextOptions {
    const { cert, key, ca, minVersion } = this.#options;
    const context: SecureContextOptions = {
      cert: read(cert),
      key: read(key),
      ...(ca.path === "" ? {} : { ca: read(ca) }),
      minVersion,
    };
    const certificate = usable(cert, () => new X509Certificate(context.cert as Buffer));
    // OpenSSL would take a file without any certificate for an empty list.
    if (context.ca) usable(ca, () => new X509Certificate(context.ca as Buffer));
    usable(key, () => createSecureContext(context));
    this.#expires.set({ setting: cert.setting }, Date.parse(certificate.validTo) / 1_000);
    return context;
  }

  #use(context: SecureContextOptions): void {
    this.#context = context;
    for (const listener of this.#listeners) listener(context);
  }
}

function read(file: TlsFile): Buffer {
  return usable(file, () => readFileSync(file.path));
}

function usable<T>({ setting, path }: TlsFile, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new InvalidInputError(`${setting} ${path}: ${(cause as Error).message}`, { cause });
  }
}
