import { discord } from "./discord/discord.ts";
import { email } from "./email/email.ts";
import { incidentio } from "./incidentio/incidentio.ts";
import type { Integration } from "./integration.ts";
import { jira } from "./jira/jira.ts";
import { mattermost } from "./mattermost/mattermost.ts";
import { msteams } from "./msteams/msteams.ts";
import { msteamsv2 } from "./msteamsv2/msteamsv2.ts";
import { opsgenie } from "./opsgenie/opsgenie.ts";
import { pagerduty } from "./pagerduty/pagerduty.ts";
import { pushover } from "./pushover/pushover.ts";
import { rateLimited } from "./rate-limited.ts";
import { rocketchat } from "./rocketchat/rocketchat.ts";
import { slack } from "./slack/slack.ts";
import { sns } from "./sns/sns.ts";
import { telegram } from "./telegram/telegram.ts";
import { twilio } from "./twilio/twilio.ts";
import { victorops } from "./victorops/victorops.ts";
import { webex } from "./webex/webex.ts";
import { webhook } from "./webhook/webhook.ts";
import { wechat } from "./wechat/wechat.ts";

/** In the order in which Alertmanager goes through a receiver's entries; its own come first. */
const ALL: readonly Integration[] = [
  webhook,
  email,
  pagerduty,
  opsgenie,
  wechat,
  slack,
  victorops,
  pushover,
  sns,
  telegram,
  discord,
  webex,
  msteams,
  msteamsv2,
  jira,
  incidentio,
  rocketchat,
  mattermost,
  twilio,
];

/** Integrations by their key in a receiver (`webhook_configs`), each within its `alerting.notify.max_per_minute`. */
export const INTEGRATIONS: ReadonlyMap<string, Integration> = new Map(
  ALL.map((integration) => [`${integration.kind}_configs`, rateLimited(integration)]),
);
