import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@sightline/model/logger.ts";
import { Gauge, type Registry } from "prom-client";
import type { Replicas } from "../pipeline/notification-pipeline.ts";
import { ClusterClient } from "./cluster-client.ts";
import type { ClusterMember, ClusterMessage, ClusterUpdate } from "./cluster-message.ts";
import { ClusterServer } from "./cluster-server.ts";
import type { ClusterTls } from "./cluster-tls.ts";
import { Membership } from "./membership.ts";
import { Outbox } from "./outbox.ts";

/** What replicas tell each other, and what of it is kept here. */
export interface ClusterState {
  /** Everything, in updates of some hundred records. */
  updates(): AsyncIterable<ClusterUpdate>;
  /** Settles once it is durable. */
  receive(update: ClusterUpdate): Promise<void>;
}

export type AlertmanagerClusterOptions = {
  readonly host: string;
  readonly port: number;
  /** Under which others reach this one; empty: host and port. */
  readonly advertise: string;
  /** `HOST:PORT` of some others; the rest are known from them. */
  readonly peers: readonly string[];
  readonly peerTimeoutMs: number;
  readonly settleTimeoutMs: number;
  readonly secret: string;
  /** Undefined: they speak plain HTTP. */
  readonly tls: ClusterTls | undefined;
  /** See `ClusterClientOptions`. */
  readonly serverName: string;
  readonly state: ClusterState;
  readonly logger: Logger;
  readonly registry: Registry;
};

const HEARTBEAT_MS = 1_000;
const DEAD_AFTER_MS = 10_000;
/** Whoever is away for longer has been taken away. */
const FORGET_AFTER_MS = 6 * 3_600_000;
/** What got lost on the way is made up for so often. */
const STATE_INTERVAL_MS = 60_000;
/** With `settleTimeoutMs` 0: after this it starts without having heard of the others. */
const MAX_JOIN_MS = 5_000;
const MAX_QUEUED_RECORDS = 100_000;

/**
 * Replicas that tell each other of silences, notifications and alerts, directly: there are two or three of them. Each waits for
 * its place times `peerTimeoutMs` before it notifies; by then it has been told if one before it did (Alertmanager's
 * ClusterWaitStage). When one dies, the next notifies after that time; when they can't reach each other, each does.
 */
export class AlertmanagerCluster implements Replicas {
  readonly #options: AlertmanagerClusterOptions;
  readonly #server: ClusterServer;
  readonly #client: ClusterClient;
  /** Addresses that did not answer the last time. */
  readonly #silent = new Set<string>();
  readonly #outboxes = new Map<string, Outbox>();
  readonly #sending = new Set<string>();
  #membership: Membership | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #stateTimer: NodeJS.Timeout | undefined;
  #settled = false;
  readonly #settling = Promise.withResolvers<void>();

  constructor(options: AlertmanagerClusterOptions) {
    this.#options = options;
    this.#server = new ClusterServer({ ...options, handle: (message) => this.#handle(message) });
    this.#client = new ClusterClient(options);
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name: `alertmanager_${name}`,
        help,
        registers: [options.registry],
        collect() {
          this.set(value());
        },
      });
    gauge("cluster_members", "Number of members of the cluster that are alive.", () => this.members.length);
    gauge("peer_position", "Position of this replica: it waits for those before it.", () => this.#position());
  }

  get name(): string {
    return this.#membership?.self.name ?? "";
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  /** Those that are alive, itself included. */
  get members(): readonly ClusterMember[] {
    return this.#membership?.alive(Date.now()) ?? [];
  }

  /** Throws `InvalidInputError` when it can't listen. */
  async start(): Promise<void> {
    const port = await this.#server.start();
    const { host, advertise, peers, settleTimeoutMs } = this.#options;
    const address = advertise || `${host.includes(":") ? `[${host}]` : host}:${port}`;
    // In the order of their start, so that one that comes later does not push others back.
    const name = `${Date.now().toString(36).padStart(9, "0")}${randomBytes(8).toString("hex")}`.toUpperCase();
    this.#membership = new Membership({ name, address }, DEAD_AFTER_MS);
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#stateTimer = setInterval(() => void this.#exchangeState(), STATE_INTERVAL_MS);
    for (const timer of [this.#heartbeat, this.#stateTimer]) timer.unref();
    if (peers.length === 0 || settleTimeoutMs === 0) this.#settle();
    else setTimeout(() => this.#settle(), settleTimeoutMs).unref();
    const joining = Promise.all(peers.map((peer) => this.#post(peer, { wantsState: true })));
    // Nobody else may be there yet.
    void joining.then((answers) => {
      if (answers.every((answer) => answer === undefined)) this.#settle();
    });
    if (settleTimeoutMs === 0) await Promise.race([joining, sleep(MAX_JOIN_MS, undefined, { ref: false })]);
  }

  async stop(): Promise<void> {
    clearInterval(this.#heartbeat);
    clearInterval(this.#stateTimer);
    this.#settle();
    await Promise.all(this.#others().map(({ address }) => this.#post(address, { leaves: true })));
    if (this.#membership) await this.#server.stop();
    this.#membership = undefined;
    await this.#client.stop();
  }

  settled(signal: AbortSignal): Promise<void> {
    if (this.#settled) return Promise.resolve();
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#settling.promise.then(resolve);
    });
  }

  waitMs(): number {
    return this.#position() * this.#options.peerTimeoutMs;
  }

  /** Tells all others. */
  broadcast(update: ClusterUpdate): void {
    for (const { name, address } of this.#others()) {
      let outbox = this.#outboxes.get(name);
      if (!outbox) {
        outbox = new Outbox(MAX_QUEUED_RECORDS);
        this.#outboxes.set(name, outbox);
      }
      outbox.add(update);
      void this.#flush(name, address, outbox);
    }
  }

  #position(): number {
    return Math.max(0, this.#membership?.position(Date.now()) ?? 0);
  }

  #others(): readonly ClusterMember[] {
    return this.members.filter(({ name }) => name !== this.name);
  }

  #settle(): void {
    this.#settled = true;
    this.#settling.resolve();
  }

  async #flush(name: string, address: string, outbox: Outbox): Promise<void> {
    if (this.#sending.has(name)) return;
    this.#sending.add(name);
    try {
      while (!outbox.isEmpty) await this.#post(address, { updates: [...outbox.take()] });
    } finally {
      this.#sending.delete(name);
    }
  }

  #beat(): void {
    const nowMs = Date.now();
    this.#membership?.forget(FORGET_AFTER_MS, nowMs);
    const others = this.#membership?.others ?? [];
    const known = new Set(others.map(({ address }) => address));
    for (const address of this.#silent)
      if (!known.has(address) && !this.#options.peers.includes(address)) this.#silent.delete(address);
    for (const name of this.#outboxes.keys())
      if (!others.some((other) => other.name === name)) this.#outboxes.delete(name);
    for (const { address } of others) void this.#post(address, {});
    for (const peer of this.#options.peers) if (!known.has(peer)) void this.#post(peer, { wantsState: true });
  }

  async #exchangeState(): Promise<void> {
    const others = this.#others();
    const other = others[Math.floor(Math.random() * others.length)];
    if (!other) return;
    await this.#post(other.address, { wantsState: true });
    await this.#sendState(other.address, false);
  }

  async #sendState(address: string, ends: boolean): Promise<void> {
    for await (const update of this.#options.state.updates()) {
      if ((await this.#post(address, { updates: [update] })) === undefined) return;
    }
    if (ends) await this.#post(address, { endsState: true });
  }

  async #handle(message: ClusterMessage): Promise<ClusterMessage> {
    this.#meet(message);
    for (const update of message.updates) await this.#options.state.receive(update);
    if (message.wantsState) void this.#sendState(message.from.address, true);
    if (message.endsState) this.#settle();
    return this.#message({});
  }

  #meet({ from, members, leaves }: ClusterMessage): void {
    const membership = this.#membership;
    if (!membership) return;
    if (leaves) {
      membership.left(from.name);
      return;
    }
    const isNew = membership.heardFrom(from, Date.now());
    if (isNew) {
      this.#options.logger.info("a replica has joined", { member: from.name, address: from.address });
      // What happened while it was away.
      void this.#sendState(from.address, false);
    }
    for (const member of members) {
      if (membership.isUnknown(member)) void this.#post(member.address, { wantsState: true });
    }
  }

  #message(fields: Partial<ClusterMessage>): ClusterMessage {
    const membership = this.#membership as Membership;
    const members = [...membership.alive(Date.now())];
    return {
      from: membership.self,
      members,
      updates: [],
      wantsState: false,
      endsState: false,
      leaves: false,
      ...fields,
    };
  }

  /** Undefined when it did not answer. */
  async #post(address: string, fields: Partial<ClusterMessage>): Promise<ClusterMessage | undefined> {
    if (!this.#membership) return undefined;
    try {
      const answer = await this.#client.post(address, this.#message(fields));
      this.#silent.delete(address);
      if (!fields.leaves) this.#meet(answer);
      return answer;
    } catch (error) {
      if (!this.#membership) return undefined;
      // Once: it is asked every second.
      const level = this.#silent.has(address) ? "debug" : "warn";
      this.#silent.add(address);
      this.#options.logger[level]("a replica does not answer", { address, error });
      return undefined;
    }
  }
}
