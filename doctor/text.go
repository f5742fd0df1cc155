package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hawser-ha/hawser/internal/words"
)

// columns is how wide a terminal is taken to be, and margin where the text of a finding begins.
const columns, margin = 80, 11

// Text is the report for people: what it comes to, then each node's findings and the cluster's own,
// the place with the worst one first. paint returns a text in the colour of a severity, "" is that
// of a title.
func (r Report) Text(now time.Time, paint func(Severity, string) string) string {
	var b strings.Builder
	b.WriteString(r.tally() + "\n")
	r = words.Cleaned(r.collapsed())
	for _, place := range r.places() {
		title := "Cluster"
		if place != "" {
			title = "Node " + place
		}
		for _, f := range r.Findings {
			if f.Node == place && f.Reported != nil {
				title += words.Since(", reported at ", f.Reported, now)
				break
			}
		}
		fmt.Fprintf(&b, "\n%s\n", paint("", title))
		for _, group := range r.Together(place) {
			writeGroup(&b, group, paint)
		}
	}
	return b.String()
}

// places lists the nodes that have findings, and "" for the cluster, that with the worst first.
func (r Report) places() []string {
	var all []string
	worst := map[string]int{}
	for _, f := range r.Findings { // sorted, the worst first
		if !slices.Contains(all, f.Node) {
			all, worst[f.Node] = append(all, f.Node), f.Severity.rank()
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(worst[a], worst[b]), strings.Compare(a, b))
	})
	return all
}

// writeGroup writes findings that are one but for their checks.
func writeGroup(b *strings.Builder, group []Finding, paint func(Severity, string) string) {
	f := group[0]
	if len(group) > 1 {
		var checks []string
		for _, f := range group {
			checks = append(checks, f.Check)
		}
		f.Check, f.Why, f.Subject = strings.Join(checks, ", "), "each may be fine or not: "+
			"`hawser doctor --list` says what they look for", ""
	}
	what := f.What
	if f.Subject != "" && !strings.Contains(what, f.Subject) {
		what = f.Subject + ": " + what
	}
	lead := "  " + paint(f.Severity, fmt.Sprintf("%-7s", f.Severity)) + "  "
	for _, line := range wrap(fmt.Sprintf("%s (%s)", what, f.Check), columns-margin) {
		fmt.Fprintf(b, "%s%s\n", lead, line)
		lead = strings.Repeat(" ", margin)
	}
	if f.Why != "" {
		writeBeside(b, "", f.Why)
	}
	for _, command := range f.Fix {
		writeCommand(b, command)
	}
	for _, todo := range f.Todo {
		writeBeside(b, "- ", todo)
	}
}

// writeCommand writes a command in a line of its own, however long, so that it can be pasted. What
// is to be known about it comes before where the line has no room for both.
func writeCommand(b *strings.Builder, command string) {
	line := "$ " + command
	if bare, comment, ok := strings.Cut(command, "   #"); ok &&
		margin+utf8.RuneCountInString(line) > columns {
		writeBeside(b, "# ", strings.TrimSpace(comment))
		line = "$ " + strings.TrimSpace(bare)
	}
	fmt.Fprintf(b, "%*s%s\n", margin, "", line)
}

// writeBeside writes a text in as many lines as it needs; all but the first begin below its own
// beginning, or, of a comment, with its sign again.
func writeBeside(b *strings.Builder, sign, text string) {
	for _, line := range wrap(text, columns-margin-len(sign)) {
		fmt.Fprintf(b, "%*s%s%s\n", margin, "", sign, line)
		if sign == "- " {
			sign = "  "
		}
	}
}

// wrap wraps a text that somebody else may have written so that no line of it looks like a command of
// this program's.
func wrap(text string, width int) []string {
	var lines []string
	for _, line := range words.Wrap(text, width) {
		if len(lines) > 0 && strings.HasPrefix(line, "$") {
			lines[len(lines)-1] += " " + line
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// tally is what the report comes to.
func (r Report) tally() string {
	var parts []string
	for _, severity := range Severities() {
		if n := r.Count(severity); n > 0 {
			word := words.Count(n, string(severity))
			if severity == Unknown {
				word = fmt.Sprintf("%d could not be checked", n)
			}
			parts = append(parts, word)
		}
	}
	checked := words.Count(len(r.Checked), "check")
	if len(parts) == 0 {
		return checked + ", nothing found"
	}
	return checked + ": " + strings.Join(parts, ", ")
}

// List is a line for each check, or more where what it looks for does not fit into one.
func List(checks []Check) string {
	var b strings.Builder
	for _, c := range checks {
		b.WriteString(words.Beside(c.Name, c.Short, 21, columns))
	}
	return b.String()
}

// ListedCheck is one check.
type ListedCheck struct {
	// Name is its name in findings.
	Name string `json:"check"`
	// Short is what it looks for.
	Short string `json:"looks_for"`
	// Worst is the severity of its worst finding.
	Worst Severity `json:"worst"`
	// Why is what its findings lead to.
	Why string `json:"why"`
	// Fix is what fixes them, briefly.
	Fix string `json:"fix"`
}

// CheckList is `hawser doctor --list --json`.
type CheckList struct {
	// Checks lists the checks in the order in which they are run.
	Checks []ListedCheck `json:"checks"`
}

// Listed is what programs are told about the checks.
func Listed(checks []Check) CheckList {
	list := CheckList{Checks: []ListedCheck{}}
	for _, c := range checks {
		list.Checks = append(list.Checks, ListedCheck{c.Name, c.Short, c.Worst, c.Why, c.Remedy})
	}
	return list
}
