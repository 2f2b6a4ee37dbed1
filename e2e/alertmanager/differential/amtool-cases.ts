/** The files that commands name, by name; `DIR` is where they are. */
export const AMTOOL_FILES: Readonly<Record<string, string>> = {
  "cfg.yml": `global: {resolve_timeout: 10m, smtp_smarthost: 'mail:25', smtp_from: a@b, smtp_auth_password: secret, slack_api_url: 'https://hooks.slack.com/x'}
templates: ['DIR/*.tmpl']
route:
  receiver: rest
  group_by: [alertname, cluster]
  group_wait: 30s
  routes:
  - matchers: [team="db", severity=~"page|warn"]
    receiver: dba
    continue: true
    routes: [{matchers: ['deep="yes"'], receiver: deep, mute_time_intervals: [nights]}]
  - match: {team: web}
    match_re: {region: 'eu.*'}
    receiver: web
    active_time_intervals: [nights]
  - matchers: ['"ä b"="x"']
    receiver: utf8
receivers:
- name: rest
- {name: dba, slack_configs: [{channel: '#db'}], email_configs: [{to: x@y, html: ''}]}
- {name: deep, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}
- {name: web, pagerduty_configs: [{routing_key: abc}]}
- {name: utf8, labels: {team: u}}
inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warn], equal: [cluster]}]
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}], weekdays: ['monday:friday'], days_of_month: ['-7:-1'], months: [january, 'march:april'], years: ['2026:2028'], location: Europe/Berlin}]}]
`,
  "own.tmpl": `{{ define "own" }}{{ .Status | toUpper }} {{ range .Alerts }}{{ .Labels.alertname }};{{ end }}{{ end }}\n`,
  "sils.json": `[{"id":"","matchers":[{"name":"a","value":"b","isRegex":false}],"startsAt":"2026-11-21T20:00:00Z","endsAt":"2027-01-01T00:00:00Z","createdBy":"x","comment":"imported"},
 {"matchers":[{"name":"ä","value":"ü.*","isRegex":true,"isEqual":false}],"startsAt":"2026-12-01T20:00:00Z","endsAt":"2027-01-01T00:00:00Z","createdBy":"x","comment":"later"}]`,
};

/** One after the other, as a shell has them; `ID0` stands for the first silence. */
export const AMTOOL_COMMANDS: readonly string[] = `
alert add one a=b severity=warn --annotation=summary="x y" --generator-url=http://g/
alert add alertname=two team=db severity=page cluster=c1
alert add three team=web region=eu-1 --start=2026-11-21T00:00:00Z --end=2027-01-01T00:00:00Z
alert add 'ä ö' "dotted.name"=x
alert add '"quoted name"="v"' alertname=quoted
alert add crit severity=critical cluster=c2
alert add warn severity=warn cluster=c2
alert add bad =x
alert add bad2 a
alert add over --start=2026-11-20T00:00:00Z --end=2026-11-20T01:00:00Z
alert add wrong --start=2027-11-20T00:00:00Z --end=2026-11-20T01:00:00Z
alert add
alert query
alert
alert query -o extended
alert query -o simple
alert query one
alert query two -o json
alert query a=b
alert query 'alertname=~t.*'
alert query 'alertname=~"t.*"' -o extended
alert query '{alertname="one"}'
alert query 'alertname="one",a="b"'
alert query '"dotted.name"=x'
alert query 'dotted.name=x'
alert query 'ä ö'
alert query '"ä ö"'
alert query '('
alert query 'a=~('
alert query -s
alert query -i
alert query -i -o extended
alert query -a
alert query -u
alert query --silenced --inhibited --active --unprocessed
alert query -r dba
alert query -r 'd.*' -o extended
alert query -r '('
alert query --receiver=nobody
alert query --nothing
silence add alertname=one -c why -a me
silence add 'alertname=~"t.*"' severity!=warn -c why -d 2h
silence add '"ä b"=x' -c utf8
silence add 'ä=ü' -c utf8
silence add 'a=b' -c 'with end' --end=2027-01-01T00:00:00Z
silence add 'a=b' -c 'with start' --start=2026-12-01T00:00:00Z --end=2027-01-01T00:00:00Z
silence add 'a=b' -c 'end before start' --start=2027-12-01T00:00:00Z --end=2027-01-01T00:00:00Z
silence add 'a=b' -c 'past' --end=2020-01-01T00:00:00Z
silence add one -c 'name alone'
silence add 'a=b'
silence add
silence add -c x
silence add 'a=~(' -c x
silence add 'a=' -c x
silence add 'a=~.*' -c x
silence add 'a!=' -c x
silence add '{a="b",c="d"}' -c x
silence add 'a=b' -c x -d 1x
silence add 'a=b' -c x -d 0s
silence query
silence
silence query -o extended
silence query -q
silence query alertname=one
silence query 'alertname=~"t.*"' -o extended
silence query 'severity!=warn'
silence query '"ä b"=x'
silence query --expired
silence query --within=2h
silence query --expired --within=1h
silence query --created-by=me
silence query --id=ID0
silence query '('
silence update ID0 -c 'new comment'
silence update ID0 -d 5h
silence update ID1 --end=2027-01-01T00:00:00Z -o extended
silence update ID1 --start=2027-01-02T00:00:00Z
silence update none -d 1h
silence update
silence expire ID0
silence expire ID0
silence expire none
silence expire 00000000-0000-0000-0000-000000000000
silence expire
silence expire ID1 ID2
silence query --expired
silence query --expired -o extended
silence import sils.json
silence import nothing.json
silence import cfg.yml
silence import -f sils.json
silence query
alert query -s
alert query one -s -o extended
config show
config show -o json
config
config routes
config routes show
config routes test team=db severity=page
config routes test team=db severity=page deep=yes
config routes test team=db severity=page deep=yes --tree
config routes test team=web region=eu-1 --verify.receivers=web
config routes test team=web region=eu-1 --verify.receivers=rest
config routes test team=db severity=page --verify.receivers=dba,rest --tree
config routes test '"ä b"=x'
config routes test 'ä b=x'
config routes test x
config routes test
config routes test nothing=here
config routes --config.file=cfg.yml
cluster show
cluster
template render --template.glob='*.tmpl' --template.text='{{ template "own" . }}'
check-config cfg.yml
check-config nothing.yml
`
  .trim()
  .split("\n");
