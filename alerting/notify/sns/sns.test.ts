import { expect, test } from "vitest";
import { FIRING, GROUP_HASH, NEVER, notificationOf, notifierOf, problemOf } from "../testing/notifier-fixture.ts";
import { Vendor } from "../testing/vendor.ts";
import { sns } from "./sns.ts";

const ACCEPTED = { body: "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>" };
const sigv4 = { region: "us-east-1", access_key: "AKID", secret_key: "s3cret" };

const vendor = Vendor.forTests(ACCEPTED);

const send = (entry: object = {}) =>
  notifierOf(sns, { api_url: `${vendor.url}/`, sigv4, topic_arn: "arn:aws:sns:us-east-1:1:ops", ...entry }).notify(
    notificationOf([FIRING]),
    NEVER,
  );
const parameters = () => Object.fromEntries(new URLSearchParams(vendor.requests.at(-1)?.body));

test("a signed message is published to a topic", async () => {
  await expect(send({ subject: "s", message: "m", attributes: { b: "{{ .Status }}", a: "1" } })).resolves.toMatchObject(
    { ok: true },
  );
  expect(vendor.requests[0]?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/us-east-1\/sns\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=[0-9a-f]{64}$/,
  );
  expect(parameters()).toEqual({
    Action: "Publish",
    Version: "2010-03-31",
    TopicArn: "arn:aws:sns:us-east-1:1:ops",
    Message: "m",
    Subject: "s",
    "MessageAttributes.entry.1.Name": "a",
    "MessageAttributes.entry.1.Value.DataType": "String",
    "MessageAttributes.entry.1.Value.StringValue": "1",
    "MessageAttributes.entry.2.Name": "b",
    "MessageAttributes.entry.2.Value.DataType": "String",
    "MessageAttributes.entry.2.Value.StringValue": "firing",
  });
});

test("a topic with an order is told what belongs together", async () => {
  await send({ topic_arn: "arn:aws:sns:us-east-1:1:ops.fifo" });
  expect(parameters()).toMatchObject({ MessageGroupId: GROUP_HASH, MessageDeduplicationId: GROUP_HASH });
});

test("a short message is cut to what phones take, and says so", async () => {
  await send({ topic_arn: "", phone_number: "+1555", message: "ä".repeat(900) });
  expect(parameters()).toMatchObject({
    PhoneNumber: "+1555",
    Message: "ä".repeat(800),
    "MessageAttributes.entry.1.Name": "truncated",
  });
});

test("a role is taken on before", async () => {
  const xml =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>r0le</SecretAccessKey>" +
    "<SessionToken>t0ken</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
  vendor.answers((request) => (request.body.includes("AssumeRole") ? { body: xml } : ACCEPTED));
  process.env.AWS_ENDPOINT_URL_STS = `${vendor.url}/sts`;
  try {
    await expect(send({ sigv4: { ...sigv4, role_arn: "arn:role", external_id: "ext" } })).resolves.toMatchObject({
      ok: true,
    });
  } finally {
    delete process.env.AWS_ENDPOINT_URL_STS;
  }
  expect(Object.fromEntries(new URLSearchParams(vendor.requests[0]?.body))).toMatchObject({
    RoleArn: "arn:role",
    ExternalId: "ext",
  });
  expect(vendor.requests[1]?.headers).toMatchObject({
    authorization: expect.stringContaining("Credential=ROLE/"),
    "x-amz-security-token": "t0ken",
  });
});

test.each([
  [
    "a topic that is not there",
    404,
    "<ErrorResponse><Error><Message>Topic does not exist &amp; never did</Message></Error></ErrorResponse>",
    false,
    "unexpected status code 404: Topic does not exist & never did",
  ],
  ["a broken service", 500, "", true, "unexpected status code 500"],
])("%s", async (_, status, body, retry, detail) => {
  vendor.answers({ status, body });
  await expect(send()).resolves.toMatchObject({ ok: false, retry, detail });
});

const NO_TARGET = "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config";
test.each([
  [{}, NO_TARGET],
  [{ topic_arn: "a", phone_number: "b" }, NO_TARGET],
  [{ topic_arn: "a" }, ""],
  [
    { topic_arn: "a", sigv4: { access_key: "x" } },
    "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config",
  ],
])("%j is refused: %s", (entry, problem) => expect(problemOf(sns, entry)).toBe(problem));
