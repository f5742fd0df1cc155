package config

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/internal/words"
)

// Example returns a hawser.yaml for --help, the manual and the reference page.
func Example() string {
	return `# hawser.yaml
fencing:            # what cuts off an unreachable node; or: sbd, on, off
  droplet:
    token_file: /etc/hawser/fence-token
    droplets: {lb-1: 1001, lb-2: 1002, lb-3: 1003}
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 15s
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    provider: digitalocean        # or lan, with cidr_netmask and nic
    token_file: /etc/hawser/token`
}

// Columns of the texts for a terminal.
const (
	docColumn = 20
	textWidth = 73 // of the 80: man(1) indents it by 7
)

// Help returns what the keys are for, for --help and the manual.
func Help() string {
	var b strings.Builder
	help(&b, new(File).keys(), "")
	return strings.TrimRight(b.String(), "\n")
}

func help(b *strings.Builder, keys []key, indent string) {
	for _, k := range keys {
		b.WriteString(words.Beside(indent+k.name, k.description(true), docColumn, textWidth))
		help(b, k.kind.keys, indent+"  ")
	}
}

// description returns what the key is for, and its default.
func (k key) description(withDefault bool) string {
	text := k.doc
	if k.only != "" {
		text = k.only + ": " + text
	}
	if k.def != "" && withDefault {
		text += " (default " + k.def + ")"
	} else if k.otherwise != "" {
		text += " (default: " + k.otherwise + ")"
	}
	return text
}

// Changes returns what applying a change of each key does, for the manual.
func Changes() string {
	var b strings.Builder
	for _, e := range effects() {
		var of []string
		for _, k := range paths(new(File).keys(), "") {
			if k.effect == e.effect {
				of = append(of, k.path)
			}
		}
		b.WriteString(words.Beside(string(e.effect), e.doc+": "+strings.Join(of, ", "), docColumn,
			textWidth))
	}
	return strings.TrimRight(b.String(), "\n")
}

// pathKey is a key with its whole name: "floating_ips[].name".
type pathKey struct {
	key
	path string
}

func paths(keys []key, in string) []pathKey {
	var out []pathKey
	for _, k := range keys {
		path := in + k.name
		out = append(out, pathKey{k, path})
		switch {
		case k.list:
			path += "[]"
		case k.of != "":
			path += "." + k.of
		}
		out = append(out, paths(k.kind.keys, path+".")...)
	}
	return out
}

// Reference returns the reference page of hawser.yaml, docs/hawser.yaml.md.
func Reference() string {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		`<!-- Made by `+"`HAWSER_UPDATE=1 go test ./config`"+
			` from the declaration of the keys in config/. -->
# hawser.yaml

What a cluster should run. `+"`hawser plan` shows and `hawser apply`"+` writes it into the cluster's
configuration; `+"`hawser check FILE`"+` validates it without a cluster, and `+"`hawser schema`"+
			` prints its
JSON Schema, with which an editor completes and checks it while it is written
(`+"`# yaml-language-server: $schema=/usr/share/hawser/hawser.schema.json`"+` as the first line).
It is looked for in %s unless `+"`-f`"+` names another file. A
file that is not named must be root's or the caller's own and writable by nobody else, as must its
directory: a program that it names is run.

`+"```yaml\n%s\n```"+`

## What a change does

Applying a change of a key does at most what its column "change" says. A value that is written out
and is the default anyway is no change.

| change | what happens |
|---|---|
`,
		strings.Join(quoted(DefaultFiles()), ", then in "),
		strings.TrimPrefix(Example(), "# hawser.yaml\n"),
	)
	for _, e := range effects() {
		fmt.Fprintf(&b, "| %s | %s |\n", e.effect, upperFirst(e.doc))
	}
	for _, k := range new(File).keys() {
		reference(&b, k)
	}
	return b.String()
}

func reference(b *strings.Builder, section key) {
	fmt.Fprintf(b,
		"\n## %s\n\n%s.\n\n| key | value | default | change | what it is for |\n"+
			"|---|---|---|---|---|\n",
		section.name, upperFirst(section.doc))
	for _, k := range paths([]key{section}, "")[1:] {
		def := k.otherwise
		if k.def != "" {
			def = "`" + k.def + "`"
		}
		doc := upperFirst(k.doc)
		if k.only != "" {
			doc = k.only + ": " + k.doc
		}
		if k.param != "" {
			doc += " (parameter `" + k.param + "`)"
		}
		if k.required {
			def = "must be given"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", k.path, k.kind.words, def, k.effect, doc)
	}
}

func quoted(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = "`" + t + "`"
	}
	return out
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
