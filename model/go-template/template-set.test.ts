import { expect, test } from "vitest";
import { GoList, GoMap, GoStruct, type GoValue, type ValueMethod } from "./go-value.ts";
import { TemplateSyntaxError } from "./parse-template.ts";
import { TemplateInterruption } from "./template-function.ts";
import { TemplateSet } from "./template-set.ts";

const LIMITS = { maxOutputCharacters: 1_000, maxSteps: 1_000, setting: " (a.setting)" };

const joined: ValueMethod = { parameters: ["string"], call: (list, [mark]) => (list as string[]).join(mark as string) };
const NAMES = { name: "Names", methods: new Map([["Join", joined]]) };
const keys: ValueMethod = {
  parameters: [],
  call: (map) => new GoList(NAMES, (map as GoMap).sortedKeys()),
};
const without: ValueMethod = {
  parameters: ["strings"],
  call: (map, [names]) => {
    const rest = [...(map as GoMap).entries].filter(([name]) => !(names as string[]).includes(name));
    return new GoMap(new Map(rest), false, KV);
  },
};
const KV = {
  name: "template.KV",
  methods: new Map([
    ["Keys", keys],
    ["Remove", without],
  ]),
};
const DATA = new GoStruct(
  { name: "*template.Data" },
  new Map<string, GoValue>([
    ["Status", "firing"],
    [
      "Labels",
      new GoMap(
        new Map([
          ["b", "2"],
          ["a", "1"],
        ]),
        false,
        KV,
      ),
    ],
    ["Free", new GoMap(new Map(), true)],
  ]),
);

function setOf(...files: readonly string[]): TemplateSet<{ who: string }> {
  const set = new TemplateSet<{ who: string }>(
    {
      who: { parameters: [], call: (_, __, { who }) => who },
      list: { parameters: ["any"], isVariadic: true, call: (args) => args },
      tmpl: {
        parameters: ["string", "any"],
        call: ([name, data], work) => work.executeNamed(name as string, data as GoValue),
      },
      stop: {
        parameters: [],
        call: () => {
          throw new TemplateInterruption("later");
        },
      },
    },
    LIMITS,
  );
  for (const [i, text] of files.entries()) set.add({ name: `${i}.tmpl`, text });
  return set;
}

function run(set: TemplateSet<{ who: string }>, text: string): string {
  return set.execute(set.parse({ name: "", text }), { data: DATA, context: { who: "Ann" } });
}

const FILES = [
  '{{ define "a" }}A{{ template "b" . }}{{ end }}',
  '{{ define "b" }}[{{ .Status }}]{{ end }}{{ define "a" }} {{ end }}',
];

test.each([
  ['{{ template "a" . }}', "A[firing]"],
  ['{{ define "b" }}mine{{ end }}{{ template "a" . }}', "Amine"],
  ['{{ tmpl "b" . | len }}', "8"],
  ["{{ who }}", "Ann"],
  ["{{ .Labels.a }}{{ .Labels.none }}{{ .Free.none }}", "1<no value>"],
  ["{{ .Labels.Keys }}{{ .Labels.Keys.Join `-` }}{{ len .Labels.Keys }}", "[a b]a-b2"],
  ["{{ (.Labels.Remove (list `a`)).Keys.Join `` }}{{ range .Labels.Remove (list `b`) }}({{ . }}){{ end }}", "b(1)"],
  ["{{ printf `%T %T` . .Labels }} {{ .Labels }}", "*template.Data template.KV map[a:1 b:2]"],
  ["{{ 'a' }} {{ '\\n' }} {{ '\\'' }} {{ '世' }}", "97 10 39 19990"],
  ["{{ range $i, $n := 3 }}{{ $i }}{{ $n }} {{ end }}", "00 11 22 "],
])("%s gives %s", (text, want) => expect(run(setOf(...FILES), text)).toBe(want));

test.each([
  [
    "{{ .Nothing }}",
    'template: :1:3: executing "" at <.Nothing>: can\'t evaluate field Nothing in type *template.Data',
  ],
  ['{{ template "c" }}', 'template: :1:12: executing "" at <{{template "c"}}>: template "c" not defined'],
  [
    "\n\n  {{ .Labels.Join `x` }}",
    'template: :3:12: executing "" at <.Labels.Join>: Join is not a method but has arguments',
  ],
  ["{{ range 2000 }}x{{ end }}", "the template takes more than 1000 steps"],
  ["{{ printf `%900s` `` }}{{ printf `%900s` `` }}", "the template makes more than 1000 characters (a.setting)"],
  [
    '{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}',
    'template: :1:28: executing "r" at <{{template "r"}}>: exceeded maximum template depth (100)',
  ],
])("%j fails as in Go", (text, want) => {
  expect(() => run(setOf(...FILES), text)).toThrow(want);
});

test("a template of a file fails by the name of both", () => {
  const set = setOf('\n{{ define "a" }}{{ .Status.x }}{{ end }}');
  expect(() => run(set, '{{ template "a" . }}')).toThrow(
    `template: 0.tmpl:2:26: executing "a" at <.Status.x>: can't evaluate field x in type string`,
  );
});

test.each([
  ["{{", "template: f:1: unclosed action"],
  ["\n\n{{ if true }}\n", "template: f:4: unexpected EOF"],
  ["a\n{{ nothing }}", 'template: f:2: function "nothing" not defined'],
  [
    '{{ define "a" }}1{{ end }}{{ define "a" }}2{{ end }}',
    'template: f:1: template: multiple definition of template "a"',
  ],
])("%j is refused with its line", (text, want) => {
  expect(() => setOf().add({ name: "f", text })).toThrow(new TemplateSyntaxError(want));
});

test("an action may have very many commands", () => {
  expect(run(setOf(), `{{ \`x\` ${"| print ".repeat(400)}}}`)).toBe("x");
  expect(() => setOf().add({ name: "f", text: `{{ 1 ${"| print ".repeat(100_000)}| }}` })).not.toThrow();
});

test("a function may stop the run", () => {
  expect(() => run(setOf(), "{{ stop }}")).toThrow(TemplateInterruption);
});

test("what is written may be changed by where it stands", () => {
  const set = setOf();
  let before = 0;
  const onText = (piece: string) => {
    before += piece.length;
  };
  const show = (value: GoValue) => `${before}:${String(value)}`;
  const text = set.execute(set.parse({ name: "", text: "<b>{{ .Status }}" }), {
    data: DATA,
    context: { who: "" },
    show,
    onText,
  });
  expect(text).toBe("<b>3:firing");
});
