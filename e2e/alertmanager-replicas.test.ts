import { renameSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getFrom, postTo, ReplicaProcesses } from "./alertmanager/replica-processes.ts";
import { type Certificate, makeCertificate } from "./harness/certificates.ts";
import { eventually } from "./harness/eventually.ts";
import { call } from "./harness/http-call.ts";
import { patientMs } from "./harness/patience.ts";
import type { ServerProcess } from "./harness/server-process.ts";

const clusterSize = async (server: ServerProcess) => (await getFrom(server, "status")).cluster.peers.length;

describe("replicas over TLS", () => {
  const [ca, otherCa] = [makeCertificate("replicas' CA"), makeCertificate("another CA")];
  const replicas = new ReplicaProcesses({});
  let one: ServerProcess;
  let two: ServerProcess;

  /** Replaces files in one step each, and gives the settings that name them. */
  function certified(who: string, { certPem, keyPem }: Certificate, { certPem: caPem } = ca) {
    const put = (name: string, text: string) => {
      const path = join(replicas.dir, `${who}-${name}`);
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      return path;
    };
    return {
      CLUSTER__TLS__CERT_FILE: put("cert.pem", certPem),
      CLUSTER__TLS__KEY_FILE: put("key.pem", keyPem),
      CLUSTER__TLS__CA_FILE: put("ca.pem", caPem),
    };
  }
  /** Posts nothing to the first one's address for replicas. */
  const knock = (options: ConstructorParameters<typeof Agent>[0]) =>
    call(`https://${replicas.firstAddress}/alertmanager-cluster/v1`, { agent: new Agent(options), body: "" });
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const [host, port] = replicas.firstAddress.split(":") as [string, string];
      const socket = connect({ host, port: Number(port), ca: ca.certPem }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.once("error", reject);
    });

  beforeAll(async () => {
    await replicas.configure();
    one = await replicas.add(certified("one", makeCertificate("one", ca)));
    two = await replicas.add(certified("two", makeCertificate("two", ca)));
  });
  afterAll(() => replicas.dispose());

  test("tell each other of silences and alerts, and nobody is told twice", async () => {
    await eventually(async () => expect([await clusterSize(one), await clusterSize(two)]).toEqual([2, 2]));
    const matchers = [{ name: "alertname", value: "Quiet", isRegex: false, isEqual: true }];
    const until = { startsAt: new Date().toISOString(), endsAt: new Date(Date.now() + 3_600_000).toISOString() };
    await postTo(one, "silences", { matchers, ...until, createdBy: "me", comment: "test" });
    await eventually(async () => expect(await getFrom(two, "silences")).toMatchObject([{ matchers }]));
    await postTo(two, "alerts", [{ labels: { alertname: "Quiet" } }, { labels: { alertname: "Loud" } }]);
    await eventually(async () => expect(await getFrom(one, "alerts?filter=alertname=Loud")).toHaveLength(1));
    await eventually(async () => expect(replicas.pages).toHaveLength(1));
    await sleep(patientMs(3_000));
    expect(replicas.pages).toMatchObject([{ alertname: "Loud", status: "firing" }]);
  });

  test("let nobody in who speaks no TLS, or shows no certificate of their CA", async () => {
    const client = makeCertificate("client", ca);
    const stranger = makeCertificate("stranger", otherCa);
    const as = ({ certPem: cert, keyPem: key }: Certificate) => ({ cert, key, ca: ca.certPem });
    expect(await knock(as(client))).toMatchObject({ status: 400 });
    await expect(knock({ ca: ca.certPem })).rejects.toThrow();
    await expect(knock(as(stranger))).rejects.toThrow();
    await expect(knock({ ...as(client), maxVersion: "TLSv1.2" })).rejects.toThrow();
    await expect(call(`http://${replicas.firstAddress}/alertmanager-cluster/v1`, { body: "" })).rejects.toThrow();
  });

  test("a third one of another CA stays alone, and says why", async () => {
    const third = await replicas.add(certified("third", makeCertificate("third", otherCa), otherCa));
    await eventually(async () => expect(third.stderr).toMatch(/certificate.*a replica does not answer/));
    expect([await clusterSize(one), await clusterSize(third)]).toEqual([2, 1]);
    await third.dispose();
  });

  test("go on with new certificates that replace the old ones", async () => {
    expect(await shown()).toBe("one");
    certified("one", makeCertificate("one, renewed", ca));
    await eventually(async () => expect(await shown()).toBe("one, renewed"));
    await postTo(one, "alerts", [{ labels: { alertname: "Renewed" } }]);
    await eventually(async () => expect(await getFrom(two, "alerts?filter=alertname=Renewed")).toHaveLength(1));
  });
});

describe("of an alert that goes on and off", () => {
  const CALM_MS = patientMs(10_000);
  const replicas = new ReplicaProcesses({
    FLAPPING__ENABLED: "true",
    FLAPPING__CHANGES: "6",
    FLAPPING__CALM_CHANGES: "0",
    FLAPPING__CALM_MS: String(CALM_MS),
  });
  const labels = { alertname: "Flaps" };
  const fire = (server: ServerProcess) => postTo(server, "alerts", [{ labels }]);
  const end = (server: ServerProcess) => postTo(server, "alerts", [{ labels, endsAt: new Date().toISOString() }]);
  const flapping = async (server: ServerProcess) => (await getFrom(server, "alerts"))[0]?.status.flapping;
  let one: ServerProcess;
  let two: ServerProcess;
  beforeAll(async () => {
    await replicas.configure();
    one = await replicas.add();
    two = await replicas.add();
    await eventually(async () => expect([await clusterSize(one), await clusterSize(two)]).toEqual([2, 2]));
  });
  afterAll(() => replicas.dispose());

  test("both replicas know that it flaps, and it is told once", async () => {
    for (let i = 0; i < 4; i++) {
      await fire(one);
      await end(one);
    }
    await fire(one);
    for (const replica of [one, two]) {
      await eventually(async () => expect(await flapping(replica)).toMatchObject({ changes: 8 }));
    }
    const told = () => replicas.pages.filter(({ annotations }) => annotations.flapping);
    await eventually(async () => expect(told()).toHaveLength(1));
    await sleep(patientMs(3_000));
    expect(told()).toHaveLength(1);
  });

  test("a replica that comes without memory of it learns that it flaps, holds its changes and tells when it is calm", async () => {
    const late = await replicas.add();
    await eventually(async () => expect(await flapping(late)).toMatchObject({ calmAt: expect.any(String) }));
    await one.kill();
    await two.kill();
    const before = replicas.pages.length;
    const endedMs = Date.now();
    await end(late);
    await eventually(async () => expect(replicas.pages).toHaveLength(before + 1), 2 * CALM_MS);
    const page = replicas.pages.at(-1);
    expect(page).toMatchObject({ alertname: "Flaps", status: "resolved" });
    expect(page?.annotations.flapping).toBeUndefined();
    expect(page?.atMs).toBeGreaterThanOrEqual(endedMs + CALM_MS);
  });
});
