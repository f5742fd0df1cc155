package config

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/golden"
)

func TestReference(t *testing.T) {
	golden.File(t, "../docs/hawser.yaml.md", Reference())
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
