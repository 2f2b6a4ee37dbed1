{{- define "sightline.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name }}{{ end -}}
{{- end }}

{{- define "sightline.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "sightline.labels" -}}
{{ include "sightline.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "sightline.postgresHost" -}}
{{- $bundled := printf "%s-timescaledb" (include "sightline.name" .) -}}
{{- .Values.databases.postgres.host | default (ternary $bundled "" .Values.bundled.timescaledb.enabled) -}}
{{- end }}

{{- define "sightline.postgresSecret" -}}
{{- .Values.databases.postgres.existingSecret | default (printf "%s-databases" (include "sightline.name" .)) -}}
{{- end }}

{{- define "sightline.redisKind" -}}
{{- .Values.databases.redis.kind | default (ternary "single" "off" .Values.bundled.redis.enabled) -}}
{{- end }}

{{/* Whether tables are made by a job before an installation: a bundled database is not there then, and processes make them. */}}
{{- define "sightline.migrates" -}}
{{- if and (eq .Values.mode "cluster") .Values.migrations.enabled (not .Values.bundled.timescaledb.enabled) }}yes{{ end -}}
{{- end }}

{{/* The settings that the chart makes, and over them those of `config`. As YAML. */}}
{{- define "sightline.config" -}}
{{- $name := include "sightline.name" . -}}
{{- $config := dict "data_dir" "/data" "listen" "0.0.0.0:4319" "otlp_grpc" "0.0.0.0:4317" "otlp_http" "0.0.0.0:4318" -}}
{{- $_ := set $config "auth" (dict "mode" .Values.auth.mode "allow_unauthenticated" (eq .Values.auth.mode "none")) -}}
{{- if not .Values.serviceMonitor.bearerTokenSecret }}{{ $_ := set $config.auth "metrics" "open" }}{{ end -}}
{{- if eq .Values.mode "cluster" -}}
{{- $pg := .Values.databases.postgres -}}
{{- $host := required "mode cluster needs databases.postgres.host, or bundled.timescaledb.enabled for a trial" (include "sightline.postgresHost" .) -}}
{{- $postgres := dict "host" $host "port" $pg.port "database" $pg.database "user" $pg.user "tls" $pg.tls "password_file" "/secrets/postgres/password" "migrate" (empty (include "sightline.migrates" .)) -}}
{{- if and (not $pg.existingSecret) (not .Values.bundled.timescaledb.enabled) }}{{ fail "databases.postgres.existingSecret: name a secret with the password" }}{{ end -}}
{{- $os := .Values.databases.opensearch -}}
{{- $nodes := $os.nodes -}}
{{- if and (not $nodes) .Values.bundled.opensearch.enabled }}{{ $nodes = list (printf "http://%s-opensearch:9200" $name) }}{{ end -}}
{{- if not $nodes }}{{ fail "mode cluster needs databases.opensearch.nodes, or bundled.opensearch.enabled for a trial" }}{{ end -}}
{{- $opensearch := dict "nodes" $nodes "username" $os.username -}}
{{- if $os.existingSecret }}{{ $_ := set $opensearch "password_file" "/secrets/opensearch/password" }}{{ end -}}
{{- if not $os.nodes }}{{ $_ := set $opensearch "replicas" 0 }}{{ end -}}
{{- $storage := dict "metrics" (dict "kind" "timescale" "timescale" $postgres) "logs" (dict "kind" "opensearch") "traces" (dict "kind" "opensearch") "opensearch" $opensearch -}}
{{- $_ := set $config "storage" $storage -}}
{{- $_ := set $config "catalog" (dict "kind" "postgres" "postgres" $postgres) -}}
{{- $kind := include "sightline.redisKind" . -}}
{{- if ne $kind "off" -}}
{{- $r := .Values.databases.redis -}}
{{- $redisNodes := $r.nodes | default (list (printf "%s-redis:6379" $name)) -}}
{{- $redis := dict "kind" $kind "nodes" $redisNodes "master_name" $r.masterName -}}
{{- if $r.existingSecret }}{{ $_ := set $redis "password_file" "/secrets/redis/password" }}{{ end -}}
{{- $_ := set $config "redis" $redis -}}
{{- end -}}
{{- end -}}
{{- mustMergeOverwrite $config (deepCopy .Values.config) | toYaml -}}
{{- end }}

{{/* What the pods of all targets have in common: root, component, target, resources, volume (keeps something in /data). */}}
{{- define "sightline.pod" -}}
metadata:
  labels:
    {{- include "sightline.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ include "sightline.config" .root | sha256sum }}
    {{- with .root.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "sightline.name" .root }}
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "sightline.selector" . | nindent 10 }}
  containers:
    - name: sightline
      image: {{ include "sightline.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [--config, /etc/sightline/config.yaml, --target, {{ .target | quote }}]
      {{- with .root.Values.env }}
      env: {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - { name: http, containerPort: 4319 }
        {{- if .receives }}
        - { name: otlp-grpc, containerPort: 4317 }
        - { name: otlp-http, containerPort: 4318 }
        {{- end }}
      startupProbe:
        httpGet: { path: /-/ready, port: http }
        periodSeconds: 2
        failureThreshold: 150
      readinessProbe:
        httpGet: { path: /-/ready, port: http }
        periodSeconds: 5
      livenessProbe:
        httpGet: { path: /-/healthy, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      # Services and proxies go on sending here for some time after a pod is told to stop.
      lifecycle: { preStop: { exec: { command: [sleep, "5"] } } }
      resources: {{- toYaml .resources | nindent 8 }}
      {{- include "sightline.container" . | nindent 6 }}
      volumeMounts:
        {{- include "sightline.mounts" .root | nindent 8 }}
        - { name: data, mountPath: /data }
  volumes:
    {{- include "sightline.volumes" .root | nindent 4 }}
    {{- if not .volume }}
    - { name: data, emptyDir: {} }
    {{- end }}
  {{- with .root.Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .root.Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "sightline.image" -}}
{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
{{- end }}

{{- define "sightline.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "sightline.mounts" -}}
- { name: config, mountPath: /etc/sightline, readOnly: true }
- { name: tmp, mountPath: /tmp }
{{- if eq .Values.mode "cluster" }}
- { name: postgres, mountPath: /secrets/postgres, readOnly: true }
{{- if .Values.databases.opensearch.existingSecret }}
- { name: opensearch, mountPath: /secrets/opensearch, readOnly: true }
{{- end }}
{{- if .Values.databases.redis.existingSecret }}
- { name: redis, mountPath: /secrets/redis, readOnly: true }
{{- end }}
{{- end }}
{{- end }}

{{- define "sightline.volumes" -}}
- name: config
  configMap: { name: {{ .configMap | default (include "sightline.name" .) }} }
- { name: tmp, emptyDir: {} }
{{- if eq .Values.mode "cluster" }}
{{- $secrets := dict "postgres" (dict "existingSecret" (include "sightline.postgresSecret" .) "existingSecretKey" .Values.databases.postgres.existingSecretKey) "opensearch" .Values.databases.opensearch "redis" .Values.databases.redis }}
{{- range $name, $secret := $secrets }}
{{- if $secret.existingSecret }}
- name: {{ $name }}
  secret:
    secretName: {{ $secret.existingSecret }}
    items: [{ key: {{ $secret.existingSecretKey }}, path: password }]
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* root, component, target, settings (of values), receives */}}
{{- define "sightline.statefulSet" -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "sightline.name" .root }}-{{ .component }}
  labels:
    {{- include "sightline.labels" . | nindent 4 }}
spec:
  serviceName: {{ include "sightline.name" .root }}-{{ .component }}-pods
  {{- if not (dig "autoscaling" "enabled" false .settings) }}
  replicas: {{ .settings.replicas | default 1 }}
  {{- end }}
  podManagementPolicy: Parallel
  # A log that still has requests for a database is never thrown away.
  persistentVolumeClaimRetentionPolicy: { whenDeleted: Retain, whenScaled: Retain }
  selector:
    matchLabels:
      {{- include "sightline.selector" . | nindent 6 }}
  template:
    {{- include "sightline.pod" (merge (dict "resources" .settings.resources "volume" true) .) | nindent 4 }}
  volumeClaimTemplates:
    - metadata: { name: data }
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .settings.storageClassName }}
        storageClassName: {{ . }}
        {{- end }}
        resources: { requests: { storage: {{ .settings.storage }} } }
{{- end }}
