package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/exitcode"
	"github.com/hawser-ha/hawser/internal/flags"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Every command that has --json has a schema.
func TestEveryJSONHasASchema(t *testing.T) {
	sys, _, _ := testSystem(t, crmtest.New("lb-1"))
	var with []string
	for _, command := range newApp(sys).Commands {
		if flags.Has(command.Flags, "json") {
			with = append(with, command.Name)
		}
	}
	require.Len(t, with, 17)
	for _, name := range with {
		code, _ := readJSON(t, sys, name, "--nosuch")
		require.Equal(t, exitUsage, code)
		require.True(t, slices.Contains(strings.Split(schemaNames(t, sys), ", "), name), name)
	}
}

// schemaNames are the names that `hawser schema` offers.
func schemaNames(t *testing.T, sys *system) string {
	t.Helper()
	var out bytes.Buffer
	sys.stdout = &out
	require.Equal(t, exitOK, run([]string{"hawser", "schema", "--help"}, sys))
	text := strings.Join(strings.Fields(out.String()), " ")
	_, text, _ = strings.Cut(text, "COMMAND is one of ")
	text, _, _ = strings.Cut(text, ";")
	return text
}

// The examples of docs/json.md work, and its table of kinds and exit codes is the one there is.
func TestJSONPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/json.md")
	require.NoError(t, err)
	page := string(text)
	for _, kind := range outcome.Kinds() {
		require.Contains(t, page, fmt.Sprintf("| `%v` | %d |", kind, exitcode.Of(&outcome.Error{Kind: kind})))
	}
	stopped := healthy()
	stopped.Resources[0].Failed, stopped.Resources[0].Active = true, false
	statusOf := func(t *testing.T) *system {
		sys, _, _ := testSystem(t, tutorialCluster(t, stopped, nil))
		return sys
	}
	fresh := func(t *testing.T) *system {
		sys, _, _ := testSystem(t, crmtest.New("lb-1", "lb-2"))
		return sys
	}
	node := func(t *testing.T) *system {
		sys := fresh(t)
		sys.Root, sys.LocalNode = true, nil
		return sys
	}
	file := lanConfig(t)
	examples := map[string]struct {
		sys  func(*testing.T) *system
		more []string
		want string
	}{
		"status":      {statusOf, nil, "^203.0.113.10 [a-z ]+\n$"},
		"plan":        {fresh, []string{"-f", file}, "^true\n$"},
		"apply --yes": {fresh, []string{"-f", file}, "^done\n$"},
		"doctor":      {node, []string{"--node-only"}, ""},
	}
	found := regexp.MustCompile(`(?m)^    hawser (.+) --json \|\n      jq (.+)$`).
		FindAllStringSubmatch(page, -1)
	require.Len(t, found, len(examples))
	for _, example := range found {
		e, ok := examples[example[1]]
		require.True(t, ok, example[1])
		sys := e.sys(t)
		var out bytes.Buffer
		sys.stdout = &out
		args := append(append([]string{"hawser"}, strings.Fields(example[1])...), "--json")
		_ = run(append(args, e.more...), sys)
		jq := exec.CommandContext(t.Context(), "sh", "-c", needs.Command(t, "jq")+" "+example[2])
		jq.Stdin = &out
		answer, err := jq.CombinedOutput()
		require.NoError(t, err, "%s\n%s", example[0], answer)
		require.Regexp(t, e.want, string(answer), example[0])
	}
}
