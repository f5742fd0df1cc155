package config

import (
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the files that are made from the declaration")

// current compares a committed file with what the declaration makes of it.
func current(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, want, 0o644)) //nolint:gosec // for everybody to read
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "%s is not current: go test ./config -update", path)
}

func TestReference(t *testing.T) {
	current(t, "../docs/hawser.yaml.md", []byte(Reference()))
}

func TestHelp(t *testing.T) {
	text := Help()
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimRight(line, "\n")), textWidth, line)
	}
	require.Contains(t, text, "\n  monitor           how often HAProxy is checked (default 15s)\n")
	require.Contains(t, text,
		"\n    watchdog_timeout\n                    SBD_WATCHDOG_TIMEOUT of the nodes")
	require.Contains(t, text,
		"\n  nic               lan: the network interface (default: derived from the\n                    routes)\n")
	for _, k := range paths(new(File).keys(), "") {
		require.Contains(t, text, k.name)
	}
}

func TestChanges(t *testing.T) {
	text := Changes()
	for _, k := range paths(new(File).keys(), "") {
		if k.effect != "" {
			require.Contains(t, text, k.path)
		}
	}
}
