package docrun_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/docrun"
)

const page = `# A page

Type ` + "`hawser status`" + `, and mind ` + "`hawser`" + ` and ` + "`/etc/x.yaml`" + `.

## First

` + "```sh lb-1 exit=8 within=3s" + `
hawser status
` + "```" + `

It prints:

` + "```text" + `
Nodes
  lb-1  online…
` + "```" + `

<!-- a remark
of two lines -->
<!-- another -->

` + "```yaml lb-1 file=/etc/x.yaml" + `
a: 'b'
` + "```" + `

## Second

` + "```sh lb-2 in=guest answer=y" + `
apt-get install \
  haproxy
` + "```" + `

` + "```log" + `
anything
` + "```" + `
`

const steps = `What readers need not see.

## First

After ` + "`hawser status`" + `:

` + "```sh each" + `
true

false
` + "```" + `

` + "```text" + `
x
` + "```" + `

After ` + "`a: 'b'`" + `:

` + "```sh each" + `
true
` + "```" + `

## Second

A remark with ` + "`hawser nothing`" + `.

` + "```lab" + `
kill lb-3
wait
` + "```" + `
`

func TestAPageIsRead(t *testing.T) {
	p, err := docrun.Parse("page.md", page, steps)
	require.NoError(t, err)
	require.Equal(t, []docrun.Step{
		{
			Page: "page.md", Line: 8, Section: "First", Kind: docrun.Script, Place: docrun.Lab, On: "lb-1", Text: "hawser status", Exit: 8,
			Within: 3 * time.Second, Want: []string{"Nodes", "  lb-1  online…"},
		},
		{
			Page: "page.steps", Line: 8, Section: "First", Kind: docrun.Script, Place: docrun.Lab, On: "each", Text: "true\n\nfalse", Hidden: true,
			Want: []string{"x"},
		},
		{Page: "page.md", Line: 23, Section: "First", Kind: docrun.File, Place: docrun.Lab, On: "lb-1", Text: "a: 'b'", Path: "/etc/x.yaml"},
		{Page: "page.steps", Line: 20, Section: "First", Kind: docrun.Script, Place: docrun.Lab, On: "each", Text: "true", Hidden: true},
		{Page: "page.steps", Line: 28, Section: "Second", Kind: docrun.Action, Place: docrun.Lab, Text: "kill lb-3\nwait", Hidden: true},
		{Page: "page.md", Line: 29, Section: "Second", Kind: docrun.Script, Place: docrun.Guest, On: "lb-2", Text: "apt-get install \\\n  haproxy", Answer: "y"},
	}, p.Steps)
	require.Equal(t, []docrun.Mention{{Line: 3, Text: "hawser status"}}, p.Mentions)
}

func TestFaultsOfAPageAreReported(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a hidden step":             {"<!-- sh lb-1\nreboot\n-->", "p.md:1: a step that readers need not see belongs into p.steps"},
		"an action":                 {"```lab\nwait\n```", "p.md:1: what is done to the machines belongs into p.steps"},
		"a command without a place": {"```sh\nreboot\n```", "p.md:1: this block does not say on which node it is run"},
		"a place that is none":      {"```sh lb-1 in=cellar\nreboot\n```", "p.md:1: in=cellar: the places are lab and guest"},
		"a word that is none":       {"```sh lb-1 ext=8\nreboot\n```", "p.md:1: ext=8: not one of"},
		"a block of nothing":        {"\n```\nreboot\n```", "p.md:2: this block does not say what it is"},
		"an indented block":         {"So:\n\n    reboot\n", "p.md:3: an indented block"},
		"a file without a path":     {"```yaml lb-1\na: b\n```", "p.md:1: a block of yaml and file="},
		"a script with a path":      {"```sh lb-1 file=/x\na\n```", "p.md:1: a block of sh and file=/x"},
		"an output of nothing": {"```text\nx\n```", "p.md:1: there is no command before " +
			"this output"},
		"two outputs": {"```sh " +
			"lb-1\na\n```\n```text\nx\n```\n```text\nx\n```", "p.md:7: there is no command " +
			"before this output"},
		"output of another section": {"```sh lb-1\na\n```\n# B\n```text\nx\n```", "p.md:5: there " +
			"is no command before this output"},
		"a block without an end": {"x\n```sh lb-1\na\n", "p.md:2: this block does not end"},
		"an empty block":         {"```sh lb-1\n\n```", "p.md:1: this block is empty"},
		"no exit code":           {"```sh lb-1 exit=256\na\n```", "p.md:1: exit=256: no exit code"},
		"no time":                {"```sh lb-1 within=soon\na\n```", "p.md:1: within=soon: "},
		"a command that is not run": {"Type `hawser stats`.\n```sh lb-1\nhawser " +
			"status\n```", "p.md:1: no block of this page runs `hawser stats`"},
		"one that is another's end": {"Type `hawser stat`.\n```sh lb-1\nhawser " +
			"status\n```", "p.md:1: no block of this page runs `hawser stat`"},
		"one in a table": {"| a | `crm_mon -1rf` |", "p.md:1: no block of this page " +
			"runs `crm_mon -1rf`"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := docrun.Parse("p.md", c.text, "")
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestFaultsOfStepsAreReported(t *testing.T) {
	for name, c := range map[string]struct{ steps, want string }{
		"no section":              {"```sh lb-1\ntrue\n```", "p.steps:1: this block is not below the heading"},
		"a section of no page":    {"## B", `p.steps:1: p.md has no section "B"`},
		"a block of no page":      {"## A\nAfter `c`:", "p.steps:2: no further block of the section \"A\" of p.md begins with `c`"},
		"a block of another":      {"## A\nAfter `d`:", "p.steps:2: no further block"},
		"not in the page's order": {"## A\nAfter `b`:\n\nAfter `a`:", "p.steps:4: no further block"},
		"output of before":        {"## A\n```sh lb-1\ntrue\n```\nAfter `a`:\n```text\nx\n```", "p.steps:6: there is no command before this output"},
		"a block without an end":  {"## A\n```sh lb-1\ntrue", "p.steps:2: this block does not end"},
		"no place":                {"## A\n```sh\ntrue\n```", "p.steps:2: this block does not say on which node it is run"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := docrun.Parse("p.md", "## A\n```sh lb-1\na\n```\n```sh lb-1\nb\n```\n## C\n```sh lb-1\nd\n```", c.steps)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// machines are this machine, under several names.
type machines struct {
	names []string
	did   []string
	ran   []string
	input string
	fail  error
	bash  func(script string) (string, int)
}

func (m *machines) Names(_ context.Context, on string) ([]string, error) {
	if on == "each" {
		return m.names, nil
	}
	return []string{on}, nil
}

func (m *machines) Do(_ context.Context, words []string) error {
	m.did = append(m.did, strings.Join(words, " "))
	return m.fail
}

func (m *machines) Bash(ctx context.Context, node, script, input string, _ bool) (string, int, error) {
	m.ran, m.input = append(m.ran, node), input
	if m.bash != nil {
		out, code := m.bash(script)
		return out, code, nil
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), exit.ExitCode(), nil
	}
	return string(out), 0, err
}

func step(text string, s docrun.Step) docrun.Step {
	s.Page, s.Line, s.Text = "p.md", 10, text
	if s.Kind == "" {
		s.Kind, s.On = docrun.Script, "lb-1"
	}
	return s
}

func TestTheFailedCommandIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		step docrun.Step
		want []string // "" in front: no error
	}{
		"all is well": {step("echo a; echo b", docrun.Step{Want: []string{"a", "b"}}), nil},
		"the third line": {step("x=1\necho $x\nls /nowhere\necho "+
			"never", docrun.Step{}), []string{"p.md:12: ls /nowhere: exit code 2, but the page " +
			"says 0", "cannot access"}},
		"in a function":      {step("f() {\n  false\n}\nf", docrun.Step{}), []string{"p.md:11: "}},
		"in a pipe":          {step("echo a | grep b | cat", docrun.Step{}), []string{"p.md:10: echo a | grep b | cat: exit code 1"}},
		"a variable not set": {step("echo $nothing", docrun.Step{}), []string{"unbound"}},
		"the code it has":    {step("(exit 8)", docrun.Step{Exit: 8}), nil},
		"not the code": {step("true", docrun.Step{Exit: 8}), []string{"p.md:10: true: " +
			"exit code 0, but the page says 8"}},
		"columns":              {step("echo 'lb-1    online   DC'", docrun.Step{Want: []string{"  lb-1 online DC"}}), nil},
		"any text":             {step("echo 'since 15:03 (2s) up'", docrun.Step{Want: []string{"…", "since …(…) up…"}}), nil},
		"not the order":        {step("echo b; echo a", docrun.Step{Want: []string{"a", "b"}}), []string{`no such line as the page shows, "b"`}},
		"typed ahead":          {step("echo y; printf 'Go on? [y/N] '; echo done", docrun.Step{Want: []string{"done"}}), nil},
		"a part of a line":     {step("echo abc", docrun.Step{Want: []string{"ab"}}), []string{`"ab"`}},
		"any text, but an end": {step("echo abc", docrun.Step{Want: []string{"a…b"}}), []string{`"a…b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			err := docrun.Play(t.Context(), &machines{}, c.step)
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			for _, w := range c.want {
				require.ErrorContains(t, err, w)
			}
			require.NotContains(t, err.Error(), "docrun:")
		})
	}
}

func TestAStepIsRunWhereItSays(t *testing.T) {
	m := &machines{names: []string{"lb-1", "lb-2"}}
	s := step("cat", docrun.Step{Answer: "y", Want: []string{"y"}})
	s.On = "each"
	require.NoError(t, docrun.Play(t.Context(), m, s))
	require.Equal(t, []string{"lb-1", "lb-2"}, m.ran)
	require.Equal(t, "y\n", m.input)

	m.names = nil
	require.ErrorContains(t, docrun.Play(t.Context(), m, s), "p.md:10: on each: there is no such "+
		"node")

	require.NoError(t, docrun.Play(t.Context(), m, step("kill lb-3\n\nwait", docrun.Step{Kind: docrun.Action})))
	require.Equal(t, []string{"kill lb-3", "wait"}, m.did)
	m.fail = errors.New("no such node")
	require.ErrorContains(t, docrun.Play(t.Context(), m, step("\nkill lb-9", docrun.Step{Kind: docrun.Action})), "p.md:11: kill lb-9: no such node")
}

func TestAStepMayTakeItsTime(t *testing.T) {
	n := 0
	m := &machines{bash: func(string) (string, int) { n++; return fmt.Sprintln("run", n), 0 }}
	require.NoError(t, docrun.Play(t.Context(), m, step("look", docrun.Step{Within: time.Minute, Want: []string{"run 3"}})))
	require.Equal(t, 3, n)
	require.ErrorContains(t, docrun.Play(t.Context(), m, step("look", docrun.Step{Within: time.Millisecond, Want: []string{"run 0"}})), "not within 1ms: p.md:10: ")
}

func TestAFileIsWritten(t *testing.T) {
	path := t.TempDir() + "/it's/a file"
	s := step("a: b\nc: $d", docrun.Step{Kind: docrun.File, On: "lb-1", Path: path})
	require.NoError(t, docrun.Play(t.Context(), &machines{}, s))
	require.NoError(t, docrun.Play(t.Context(), &machines{}, step("cat '"+strings.ReplaceAll(path, "'", `'\''`)+"'", docrun.Step{Want: []string{"a: b", "c: $d"}})))
	s.Path = "/dev/null/x"
	require.ErrorContains(t, docrun.Play(t.Context(), &machines{}, s), "p.md:10: write /dev/null/x: ")
}

func FuzzParse(f *testing.F) {
	f.Add(page, steps)
	f.Add("```sh lb-1\n```\n<!-- sh\n-->\n    x\n", "## A\nAfter `x`:\n")
	f.Fuzz(func(t *testing.T, text, beside string) {
		p, err := docrun.Parse("p.md", text, beside)
		for _, s := range p.Steps {
			lines := strings.Split(text, "\n")
			if s.Hidden {
				lines = strings.Split(beside, "\n")
			}
			require.Greater(t, s.Line, 1)
			require.LessOrEqual(t, s.Line+strings.Count(s.Text, "\n"), len(lines), "the lines of a step are lines of the page")
			require.NotEmpty(t, strings.TrimSpace(s.Text))
			if s.Kind != docrun.Action {
				require.NotEmpty(t, s.On)
			}
			require.Error(t, s.Check("", s.Exit+1))
		}
		if err == nil && strings.Contains(text, "\n```sh\n") {
			// only inside of another block or a comment can a block without a place be right
			require.Greater(t, strings.Count(text, "```")+strings.Count(text, "<!--"), 1)
		}
	})
}
