// Package docrun reads the commands out of a page of documentation and runs them, so that a page
// cannot tell an operator to type something that does not work.
//
// A page says where each command is run in the words after a block's language, which no rendered
// page shows; the text says it too:
//
//	```sh lb-1                      the block is a script, run by bash on that node; the first command that fails ends it
//	```sh each                      on every balancer, one after the other; holder is the one that has the address, spare another one
//	```sh lb-1 exit=8 within=30s    the exit code it has to have, and how long it may be asked again until it and its output are right
//	```sh lb-1 answer=y             run on a terminal, and what is typed there
//	```sh lb-1 in=guest             only on a virtual machine, with a kernel and a package manager of its own
//	```yaml lb-1 file=/etc/x.yaml   the block is the content of that file
//	```text                         what the commands just before print: these lines, in this order, among others; … is any text
//	```log                          an excerpt that is not compared
//
// What a reader need not see, such as faults to be fixed and checks that they were, is in a file
// beside the page, page.steps for page.md. It has blocks of the same form, and those of lab, with
// actions on the machines themselves, such as "kill lb-3". They are done where the heading above
// them, which is one of the page's, and a line
//
//	After `hawser reload`:
//
// say: after the next block of that section that begins with this line, or at the section's begin.
//
// It imports nothing of ours. Open docrun.go first.
package docrun

import (
	"fmt"
	"strings"
	"time"
)

// Place is the least capable place in which a step can run.
type Place string

// The places. A guest can run what the laboratory can.
const (
	Lab   Place = "lab"   // nodes in namespaces, with systemd as PID 1
	Guest Place = "guest" // a virtual machine with a kernel and a package manager of its own
)

// Kind is what a step is.
type Kind string

// The kinds.
const (
	Script Kind = "script" // run Text with bash
	File   Kind = "file"   // put Text into Path
	Action Kind = "action" // do to the machines what Text says, one action a line
)

// Step is one thing to do.
type Step struct {
	Page    string `json:"page"`
	Line    int    `json:"line"` // of the first line of Text
	Section string `json:"section"`
	Kind    Kind   `json:"kind"`
	Place   Place  `json:"place"`
	// On is a node's name, or a role: each, holder, spare.
	On   string `json:"on,omitempty"`
	Text string `json:"text"`
	Path string `json:"path,omitempty"`
	// Exit is the exit code that the script must have.
	Exit int `json:"exit,omitempty"`
	// Within is how long the script may be repeated until its exit code and its output are right;
	// it runs once if zero.
	Within time.Duration `json:"within,omitempty"`
	// Answer is typed on the script's terminal. Without it there is no terminal.
	Answer string `json:"answer,omitempty"`
	// Want lists the lines that it has to print, in order.
	Want []string `json:"want,omitempty"`
	// Hidden is true if a reader of the page does not see the step.
	Hidden bool `json:"hidden,omitempty"`
}

// At is the place of the step: page:line.
func (s Step) At() string { return fmt.Sprintf("%s:%d", s.Page, s.Line) }

// prelude makes bash end at the first command that fails and say which line of the script that was.
const prelude = `set -Eeuo pipefail; trap 'echo "` + failedMark + `$LINENO" >&2' ERR`

const failedMark = "docrun: the script failed in line "

// Bash is what `bash -c` is given: the script begins in its second line.
func (s Step) Bash() string { return prelude + "\n" + s.Text }

// WriteFile is the script that puts the step's text, from standard input, in place. An existing
// file keeps its mode.
func (s Step) WriteFile() string {
	return fmt.Sprintf("set -e\nmkdir -p \"$(dirname %[1]s)\"\ncat >%[1]s\n", quote(s.Path))
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Check compares what a script printed and its exit code with what the page says. The error begins
// with the page and the line.
func (s Step) Check(output string, code int) error {
	if code != s.Exit {
		at, rest := s.failedAt(output)
		return fmt.Errorf("%s: %s: exit code %d, but the page says %d; it printed:\n%s", at,
			firstLine(s.lineAt(at)), code, s.Exit, rest)
	}
	if missing, ok := matches(s.Want, output); !ok {
		return fmt.Errorf(
			"%s: the output has no such line as the page shows, %q, after the previous ones; it "+
				"printed:\n%s", s.At(),
			missing, output)
	}
	return nil
}

// failedAt returns the place of the command that failed, and the output without the mark that
// showed it.
func (s Step) failedAt(output string) (at, rest string) {
	at = s.At()
	var kept []string
	for line := range strings.Lines(output) {
		var n int
		if _, err := fmt.Sscanf(line, failedMark+"%d", &n); err == nil {
			if n >= 2 && n-2 < strings.Count(s.Text, "\n")+1 {
				at = fmt.Sprintf("%s:%d", s.Page, s.Line+n-2)
			}
			continue
		}
		kept = append(kept, line)
	}
	return at, strings.Join(kept, "")
}

func (s Step) lineAt(at string) string {
	var n int
	if _, err := fmt.Sscanf(strings.TrimPrefix(at, s.Page+":"), "%d", &n); err != nil {
		return s.Text
	}
	lines := strings.Split(s.Text, "\n")
	if n -= s.Line; n < 0 || n >= len(lines) {
		return s.Text
	}
	return lines[n]
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
