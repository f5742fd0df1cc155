package draft

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/internal/words"
)

// width is that of the file's remarks: they are read on a terminal, too.
const width = 78

// writer writes a hawser.yaml. A remark begins with "# "; a key that is commented out with "#" alone,
// and what belongs to it with "#" and its indentation, which is two spaces at least.
type writer struct {
	strings.Builder
	facts   Facts
	remarks []string
}

// say writes a remark of a line or more.
func (w *writer) say(indent, format string, args ...any) {
	text := words.Clean(fmt.Sprintf(format, args...))
	for _, line := range words.Wrap(text, width-len(indent)-len("# ")) {
		w.line("%s# %s", indent, line)
	}
}

// line writes a line as it is.
func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// keys writes keys that are commented out, a line each; indent stands before the #.
func (w *writer) keys(indent string, lines ...string) {
	for _, l := range lines {
		w.line("%s#%s", indent, l)
	}
}

// plain is what YAML reads as the text that it is.
var plain = regexp.MustCompile(`^[A-Za-z/_][A-Za-z0-9/._+=@-]*$`)

var keyword = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)

// quoted is a text as YAML has it.
func quoted(text string) string {
	if plain.MatchString(text) && !keyword.MatchString(text) {
		return text
	}
	return strconv.Quote(text)
}

// flow is a list of names in one line.
func flow(names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = quoted(n)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// head says whose file it is, how to read it, and what to know first.
func (w *writer) head() {
	of := "this machine"
	if w.facts.Node != "" {
		of = w.facts.Node
	}
	if names := w.names(); len(names) > 0 { // otherwise a remark says why they are not known
		of += " (in the cluster of " + strings.Join(names, ", ") + ")"
	}
	for i, r := range w.remarks {
		if i == 0 {
			w.say("", "READ THIS FIRST")
		}
		w.say("", "- %s", r)
	}
	if len(w.remarks) > 0 {
		w.line("#")
	}
	w.say("", "hawser.yaml, a draft by `hawser init` on %s. What was found is written as keys, and "+
		"what you have to decide is commented out: such a line begins with # and no space; remove the # "+
		"to use it. Then `hawser check FILE`, `hawser plan -f FILE` and `hawser apply -f FILE`, on one "+
		"node. The pages named here are in /usr/share/doc/hawser; hawser.yaml.md has every key.", of)
}

// names are those of the nodes.
func (w *writer) names() []string {
	var all []string
	for _, m := range w.facts.Cluster.Members {
		all = append(all, m.Name)
	}
	return all
}

// examples are names for examples: the cluster's own, as far as there are so many.
func (w *writer) examples(least int) []string {
	all := w.names()
	for i := len(all) + 1; len(all) < least; i++ {
		all = append(all, fmt.Sprintf("lb-%d", i))
	}
	return all
}
