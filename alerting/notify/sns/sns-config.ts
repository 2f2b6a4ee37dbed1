import { z } from "zod";
import { httpConfig } from "../http/http-config.ts";
import { flag, optionalSecret, optionalText, text, texts } from "../receiver-values.ts";

const sigv4 = z
  .strictObject({
    region: optionalText,
    access_key: optionalText,
    secret_key: optionalSecret,
    profile: optionalText,
    role_arn: optionalText,
    external_id: optionalText,
    use_fips_sts_endpoint: flag(),
  })
  .superRefine((config, context) => {
    if (Boolean(config.access_key) !== Boolean(config.secret_key)) {
      const message =
        "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config";
      context.addIssue({ code: "custom", message });
    }
    if (config.external_id && !config.role_arn)
      context.addIssue({ code: "custom", message: "external_id can only be used with role_arn" });
  });

/** An entry of `sns_configs`. */
export const snsConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    api_url: text(),
    sigv4: sigv4.prefault({}),
    topic_arn: text(),
    phone_number: text(),
    target_arn: text(),
    subject: text('{{ template "sns.default.subject" . }}'),
    message: text('{{ template "sns.default.message" . }}'),
    attributes: texts,
    use_aws_http_client: flag(),
  })
  .superRefine((config, context) => {
    // One of them, or (Go's chain of != says so) all three.
    const given = [config.target_arn, config.topic_arn, config.phone_number].filter((value) => value !== "").length;
    if (given % 2 === 1) return;
    const message = "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config";
    context.addIssue({ code: "custom", message });
  });

export type SnsConfig = z.output<typeof snsConfig>;
export type SigV4Config = SnsConfig["sigv4"];
