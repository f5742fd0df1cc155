package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheMachineIsInjected: what this machine is comes from package host, and whom the program talks to from
// terminal.go; a test then sees another machine wherever it says so.
func TestTheMachineIsInjected(t *testing.T) {
	direct := regexp.MustCompile(`\b(os\.(Stdin|Stdout|Stderr|Geteuid|Getuid)|time\.Now)\b|"/proc`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	require.Greater(t, len(files), 10)
	for _, file := range files {
		isTest, _ := filepath.Match("*_test.go", file)
		if isTest || slices.Contains([]string{"terminal.go", "main.go"}, file) {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotRegexp(t, direct, string(text), file)
	}
}
