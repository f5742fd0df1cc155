package main

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/crm/crmtest"
)

// Every start makes the commands; the texts about them are made for those who ask. Made at once,
// they were nine tenths of 5,098 allocations, and 0.5 ms of a start.
func TestHelpIsMadeWhenItIsAskedFor(t *testing.T) {
	sys, _, _ := testSystem(t, crmtest.New("lb-1"))
	require.Less(t, testing.AllocsPerRun(10, func() { newApp(sys) }), 1000.0)
}

// printed is what a command prints that ends well.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	sys, stdout, stderr := testSystem(t, crmtest.New("lb-1"))
	err := newApp(sys).RunContext(t.Context(), append([]string{"hawser"}, args...))
	var quiet silent
	require.True(t, err == nil || errors.As(err, &quiet), "%v: %v", args, err)
	require.Equal(t, exitOK, exitCode(err), "%v: %v", args, err)
	require.Empty(t, stderr.String(), args)
	return stdout.String()
}

// columns is how wide a line looks.
func columns(line string) int { return utf8.RuneCountInString(strings.TrimRight(line, "\n")) }

func TestHelpFitsATerminal(t *testing.T) {
	var calls [][]string
	var collect func([]string, []*cli.Command)
	collect = func(before []string, commands []*cli.Command) {
		for _, c := range commands {
			if c.Name == protectGuard {
				continue // nobody types it
			}
			call := append(append([]string{}, before...), c.Name)
			calls = append(calls, call)
			collect(call, c.Subcommands)
		}
	}
	sys, _, _ := testSystem(t, crmtest.New("lb-1"))
	collect(nil, newApp(sys).Commands)
	require.Greater(t, len(calls), 25)
	for _, call := range append(calls, nil) {
		text := printed(t, append(call, "--help")...)
		require.Contains(t, text, "Usage:\n", call)
		for line := range strings.Lines(text) {
			require.LessOrEqual(t, columns(line), 80, "%v: %s", call, line)
		}
		require.Equal(t, text, printed(t, append([]string{"help"}, call...)...), call)
	}
}

// What roff does not fill has to fit as it is: man(1) indents it by 7 columns.
func TestManualPagesFitATerminal(t *testing.T) {
	escapes := strings.NewReplacer(`\e`, `\`, `\-`, "-", `\&`, "")
	for _, page := range []string{"hawser", "hawser.yaml"} {
		asIs, lines := false, 0
		for line := range strings.Lines(printed(t, "man", page)) {
			switch line {
			case ".nf\n", ".fi\n":
				asIs = line == ".nf\n"
				continue
			}
			if asIs {
				lines++
				require.LessOrEqual(t, columns(escapes.Replace(line)), 80-7, line)
			}
		}
		require.Greater(t, lines, 20, page)
	}
}
