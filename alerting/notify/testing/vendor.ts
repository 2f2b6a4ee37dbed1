import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach } from "vitest";

export type ReceivedRequest = {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type VendorAnswer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything but a text is sent as JSON. */
  readonly body?: unknown;
};

type Answering = (request: ReceivedRequest) => VendorAnswer | Promise<VendorAnswer>;

/** Stands for a service on the network: answers as the test says and keeps what it was sent. */
export class Vendor {
  readonly requests: ReceivedRequest[] = [];
  readonly #server: Server;
  #answer: Answering;

  private constructor(answer: Answering) {
    this.#answer = answer;
    this.#server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", async () => {
        const request = {
          method: incoming.method ?? "",
          path: incoming.url ?? "",
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        };
        this.requests.push(request);
        const { status = 200, headers = {}, body = "" } = await this.#answer(request);
        const isText = typeof body === "string";
        response.writeHead(status, { ...(isText ? {} : { "content-type": "application/json" }), ...headers });
        response.end(isText ? body : JSON.stringify(body));
      });
    });
  }

  static async start(answer: Answering = () => ({})): Promise<Vendor> {
    const vendor = new Vendor(answer);
    await vendor.#listen();
    return vendor;
  }

  /** There for the tests of a file; before each of them it knows of no request and answers as usual. */
  static forTests(usual: VendorAnswer | Answering = {}): Vendor {
    const vendor = new Vendor(() => ({}));
    beforeAll(() => vendor.#listen());
    beforeEach(() => {
      vendor.requests.length = 0;
      vendor.answers(usual);
    });
    afterAll(() => vendor.stop());
    return vendor;
  }

  #listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** From now on. */
  answers(answer: VendorAnswer | Answering): void {
    this.#answer = typeof answer === "function" ? answer : () => answer;
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The last one's body as JSON. */
  get lastJson(): unknown {
    return JSON.parse(this.requests.at(-1)?.body ?? "null");
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
