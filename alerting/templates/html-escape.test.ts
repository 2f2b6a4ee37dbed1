import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { notificationData } from "./notification-data.ts";
import { NotificationTemplates } from "./notification-templates.ts";

const TEMPLATES = new NotificationTemplates([], { maxCharacters: 50_000, maxSteps: 5_000 });

/** A page in which the receiver's place is taken by any text. */
function page(template: string, value: string): string {
  const input = {
    receiver: "x",
    reason: "",
    groupLabels: {},
    routeLabels: {},
    alerts: [],
    nowMs: 0,
    externalUrl: value,
  };
  return TEMPLATES.renderHtml(template, notificationData(input), 0);
}

/** Pieces of HTML, CSS, JavaScript and URLs among other texts. */
const hostile = fc.oneof(
  fc.string({ unit: CODE_POINT }),
  fc
    .array(
      fc.constantFrom(
        "<",
        ">",
        '"',
        "'",
        "`",
        "&",
        "=",
        " ",
        "/",
        "\\",
        "-->",
        "]]>",
        "</script>",
        "javascript:",
        "x",
        ":",
        "(",
        ")",
        ";",
        "{",
        "}",
        "\n",
        "%",
        "&#34;",
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join("")),
);

function unescaped(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

describe("no value leaves its place in a page", () => {
  test("text, and it is shown as it is", () =>
    fc.assert(
      fc.property(hostile, (value) => {
        const shown = page("<p>{{ .ExternalURL }}</p>", value).slice(3, -4);
        expect(shown).not.toMatch(/[<>"']/);
        expect(unescaped(shown)).toBe(value.replaceAll("\0", "\ufffd"));
      }),
    ));

  test.each([
    '<p title="{{ .ExternalURL }}">',
    '<a href="{{ .ExternalURL }}">',
    '<p style="{{ .ExternalURL }}">',
    '<p onclick="{{ .ExternalURL }}">',
  ])("%s", (template) =>
    fc.assert(
      fc.property(hostile, (value) => {
        const [before = "", after = ""] = template.split("{{ .ExternalURL }}");
        const shown = page(template, value);
        expect(shown.startsWith(before) && shown.endsWith(after)).toBe(true);
        expect(shown.slice(before.length, shown.length - after.length)).not.toMatch(/["<>]/);
      }),
    ),
  );

  test("an attribute without quotes", () =>
    fc.assert(
      fc.property(hostile, (value) => {
        expect(page("<p title={{ .ExternalURL }}>", value).slice("<p title=".length, -1)).toMatch(/^[^\s"'<>=`]+$/);
      }),
    ));

  test("an address runs nothing", () =>
    fc.assert(
      fc.property(hostile, (value) => {
        const shown = unescaped(page('<a href="{{ .ExternalURL }}">', value).slice('<a href="'.length, -2));
        expect(shown).not.toMatch(/^\s*(javascript|data|vbscript):/i);
      }),
    ));

  test("a script has it as a value", () =>
    fc.assert(
      fc.property(hostile, (value) => {
        const shown = page("<script>{{ .ExternalURL }}</script>", value).slice("<script>".length, -"</script>".length);
        expect(shown).not.toContain("<");
        expect(JSON.parse(shown)).toBe(value);
      }),
    ));

  test("a literal of a script", () =>
    fc.assert(
      fc.property(hostile, (value) => {
        const shown = page('<script>"{{ .ExternalURL }}"</script>', value).slice(
          '<script>"'.length,
          -'"</script>'.length,
        );
        expect(shown).not.toMatch(/["'<>\n\r\u2028\u2029]/);
      }),
    ));
});
