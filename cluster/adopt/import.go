package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/words"
)

// Imported is `hawser import crm --json`.
type Imported struct {
	// Outcome says how much was converted.
	Outcome Outcome `json:"outcome"`
	// From is what was read: the cluster of these nodes, or a file.
	From string `json:"from"`
	// YAML is the hawser.yaml, with comments.
	YAML string `json:"yaml"`
	// Kept are the resources that go on as they are: their processes and addresses stay.
	Kept []string `json:"kept"`
	// Exchanged says which resources get another agent, and what that interrupts.
	Exchanged []string `json:"exchanged"`
	// Becomes says of each constraint and group what takes its place.
	Becomes []string `json:"becomes"`
	// Remarks are what hawser.yaml cannot say, and what is different then.
	Remarks []string `json:"remarks"`
	// Steps say how to take it over, in order.
	Steps []Step `json:"steps"`
	// NodeByNode are the steps for a shorter interruption, empty if there is none.
	NodeByNode []Step `json:"node_by_node"`
	// Written is the file that was written, "" if none was.
	Written string `json:"written"`

	found Found
}

// Outcome says how much of a set-up was converted.
type Outcome string

// The outcomes. What cannot be converted at all is an error.
const (
	Converted   Outcome = "converted"
	WithRemarks Outcome = "with_remarks" // which have to be read before hawser.yaml is used
)

// Step is one thing to do.
type Step struct {
	// Says is what it does, in a sentence.
	Says string `json:"says"`
	// Commands are what to type for it; a line that ends with <<'EOF' is followed by its input.
	Commands []string `json:"commands"`
}

// Source is the configuration that is read.
type Source struct {
	// Saved is the file in which it was saved, "" if it is that of the cluster.
	Saved string
	// Holder is the node that has the addresses, "" if that is not known.
	Holder string
}

// Import makes a hawser.yaml of the set-up, with comments on what became of it, and says how to take it
// over.
func Import(cib *crm.CIB, from Source, tokenFile string) (Imported, error) {
	found, err := Read(cib, config.DefaultFiles()[0], tokenFile)
	if err != nil {
		return Imported{}, err
	}
	i := Imported{
		From: "the cluster of " + strings.Join(cib.Members(), ", "),
		Kept: append([]string{}, found.Kept...), Exchanged: append([]string{}, found.Exchanged...),
		Becomes: append([]string{}, found.Becomes...), Remarks: append([]string{}, found.Remarks...),
		found: found,
	}
	if i.Outcome = Converted; len(i.Remarks) > 0 {
		i.Outcome = WithRemarks
	}
	if from.Saved != "" {
		i.From = from.Saved
	}
	i.Steps = i.steps(tokenFile)
	i.NodeByNode = nodeByNode(cib, found, from.Holder)
	i.YAML = i.text(cib)
	if _, err := config.ParseAs(config.DefaultFiles()[0], []byte(i.YAML)); err != nil {
		return Imported{}, fmt.Errorf("what the cluster has cannot be said in a hawser.yaml: %w", err)
	}
	return i, nil
}

// File is the hawser.yaml, read.
func (i Imported) File() *config.File { return i.found.File }

// steps are those of `hawser adopt`.
func (i Imported) steps(tokenFile string) []Step {
	adopt := "hawser adopt"
	steps := []Step{{
		Says: "Have hawser on every node, of the same version, and HAProxy's configuration, the same " +
			"everywhere (install.md). Nothing of it runs yet.",
		Commands: []string{"hawser --version"},
	}}
	if slices.ContainsFunc(i.found.File.Addresses, func(a config.Address) bool {
		return a.TokenFile == tokenFile
	}) {
		steps = append(steps, Step{
			Says:     "Have the API token in its file on every node.",
			Commands: []string{"install -D -m 0600 -o root -g root /dev/stdin " + tokenFile},
		})
		adopt += " --token-file " + tokenFile
	}
	when := "When you want it: it interrupts nobody. It asks before it writes."
	if len(i.Exchanged) > 0 {
		when = "At a time when the interruption is bearable: it asks before it writes, and says what " +
			"visitors will notice."
	}
	return append(steps,
		Step{
			Says: "See on one node, as root, what would change and what Pacemaker would do then; " +
				"nothing is changed.",
			Commands: []string{adopt + " --dry-run"},
		},
		Step{Says: when, Commands: []string{adopt}},
		Step{
			Says:     "See that it is done: plan has nothing to do, and status says that all is well.",
			Commands: []string{"hawser plan", "hawser status"},
		})
}

// text is the file.
func (i Imported) text(cib *crm.CIB) string {
	w := &commented{}
	w.say("", "hawser.yaml, from %s, by `hawser import crm`. Nothing in the cluster was changed. `hawser "+
		"adopt` writes the same file, without the comments, and takes the set-up over.", i.From)
	w.list("Kept, with their processes and addresses:", i.Kept)
	w.list("EXCHANGED, WHICH INTERRUPTS:", i.Exchanged)
	w.list("In the place of what there is:", i.Becomes)
	w.list("READ THIS:", i.Remarks)
	w.line("#")
	w.say("", "TO TAKE IT OVER. The pages named here are in /usr/share/doc/hawser; adopt.md says more.")
	w.steps(i.Steps)
	if len(i.NodeByNode) > 0 {
		w.line("#")
		w.say("", "OR NODE BY NODE, so that HAProxy never stops everywhere: then `hawser adopt` keeps what "+
			"runs. Wait after each step until `hawser status` shows what it says.")
		w.steps(i.NodeByNode)
	} else if len(i.Exchanged) > 0 {
		w.line("#")
		w.say("", "There is no shorter way node by node: an agent that is exchanged under the same id is "+
			"exchanged on every node in one step.")
	}
	w.line("")
	for line := range strings.Lines(string(i.found.file())) {
		line = strings.TrimRight(line, "\n")
		switch name, address := strings.CutPrefix(line, "  - name: "); {
		case strings.HasPrefix(line, "fencing: off"):
			w.say("", "As the cluster has it: an unreachable node may go on with an address that another "+
				"one has taken. fencing.md has what to do about it.")
		case strings.HasPrefix(line, "haproxy:"):
			w.was("", cib, i.found.haproxy)
		case address:
			w.was("  ", cib, name)
		case line == "groups:":
			w.say("", "Always on the same node, the first decides where.")
		case line == "resources:":
			w.say("", "Your own resources, which go with an address.")
		}
		w.line("%s", line)
	}
	return w.String()
}

// file is the hawser.yaml without what stands at its head.
func (f Found) file() []byte { return []byte(strings.TrimPrefix(string(f.YAML), header)) }

// commented writes a hawser.yaml with comments.
type commented struct{ strings.Builder }

func (w *commented) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *commented) say(indent, format string, args ...any) {
	const width = 78 // it is read on a terminal, too
	text := words.Clean(fmt.Sprintf(format, args...))
	for _, line := range words.Wrap(text, width-len(indent)-len("# ")) {
		w.line("%s# %s", indent, line)
	}
}

func (w *commented) list(title string, all []string) {
	if len(all) == 0 {
		return
	}
	w.line("#")
	w.say("", "%s", title)
	for _, text := range all {
		w.say("", "- %s", text)
	}
}

func (w *commented) steps(all []Step) {
	for n, s := range all {
		w.say("", "%d. %s", n+1, s.Says)
		for _, c := range s.Commands {
			for line := range strings.SplitSeq(c, "\n") {
				w.line("#      %s", words.Clean(line))
			}
		}
	}
}

// was says what a resource has been.
func (w *commented) was(indent string, cib *crm.CIB, id string) {
	if p, ok := cib.Primitive(id); ok {
		w.say(indent, "%s was %s.", id, p.Agent())
	}
}
