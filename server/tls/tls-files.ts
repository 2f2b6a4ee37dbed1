import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Config } from "@sightline/config/schema.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { Counter, Gauge, type Registry } from "prom-client";

export type TlsConfig = Config["tls"];
type FileKey = "cert_file" | "key_file" | "client_ca_file";

const CHECK_INTERVAL_MS = 1_000;

/**
 * The certificate, its key and the CA of client certificates, read again when the files change. What can't be used (a
 * certificate without its key yet, a half-written file) is reported, and the one before stays.
 */
export class TlsFiles implements Component {
  readonly name = "TLS files";
  readonly #config: TlsConfig;
  readonly #logger: Logger;
  readonly #listeners = new Set<(context: SecureContextOptions) => void>();
  readonly #expires: Gauge;
  readonly #reloads: Counter<"result">;
  #context: SecureContextOptions | undefined;
  #fingerprint = "";
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> = Promise.resolve();

  constructor(options: { config: TlsConfig; logger: Logger; registry: Registry }) {
    this.#config = options.config;
    this.#logger = options.logger;
    const registers = [options.registry];
    this.#expires = new Gauge({
      name: "sightline_tls_certificate_expires_timestamp_seconds",
      help: "When the certificate in use ends to be valid",
      registers,
    });
    this.#reloads = new Counter({
      name: "sightline_tls_reloads_total",
      help: "Changes of the TLS files that were noticed: loaded, or failed and not used",
      labelNames: ["result"],
      registers,
    });
  }

  /** Whether a client must show a certificate of the client CA. */
  get requiresClientCertificate(): boolean {
    return this.#config.client_ca_file !== "";
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
    try {
      this.#use(this.#read());
      this.#reloads.inc({ result: "loaded" });
      this.#logger.info("TLS files have changed and are in use");
    } catch (error) {
      this.#reloads.inc({ result: "failed" });
      this.#logger.warn("TLS files have changed and can't be used: those before stay in use", { error });
    }
  }

  /** Polled, because the links that orchestrators swap are not seen reliably by watching a file. */
  async #fingerprintNow(): Promise<string> {
    const { cert_file, key_file, client_ca_file } = this.#config;
    const parts = [cert_file, key_file, client_ca_file].map(async (path) => {
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
    const { cert_file, key_file, client_ca_file, min_version } = this.#config;
    const cert = readSetting("cert_file", cert_file);
    const context: SecureContextOptions = {
      cert,
      key: readSetting("key_file", key_file),
      ...(client_ca_file === "" ? {} : { ca: readSetting("client_ca_file", client_ca_file) }),
      minVersion: min_version,
    };
    const certificate = usable("cert_file", cert_file, () => new X509Certificate(cert));
    // OpenSSL would take a file without any certificate for an empty list.
    if (context.ca) usable("client_ca_file", client_ca_file, () => new X509Certificate(context.ca as Buffer));
    usable("key_file", key_file, () => createSecureContext(context));
    this.#expires.set(Date.parse(certificate.validTo) / 1_000);
    return context;
  }

  #use(context: SecureContextOptions): void {
    this.#context = context;
    for (const listener of this.#listeners) listener(context);
  }
}

function readSetting(key: FileKey, path: string): Buffer {
  return usable(key, path, () => readFileSync(path));
}

function usable<T>(key: FileKey, path: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new InvalidInputError(`tls.${key} ${path}: ${(cause as Error).message}`, { cause });
  }
}
