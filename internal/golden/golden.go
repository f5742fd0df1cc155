// Package golden compares what a test has generated with a file, or a part of one, that is kept in
// the repository. HAWSER_UPDATE=1 rewrites the files; check the difference before you commit it. It
// is for tests, and imports nothing of ours.
//
// There is only this file.
package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// variable is set where files are to be written.
const variable = "HAWSER_UPDATE"

// Updating says whether files are to be written.
func Updating() bool { return os.Getenv(variable) != "" }

// Equal fails the test unless testdata/name holds exactly this text.
func Equal(t testing.TB, name, got string) {
	t.Helper()
	File(t, filepath.Join("testdata", name), got)
}

// File fails the test unless the file holds exactly this text.
func File(t testing.TB, path, got string) {
	t.Helper()
	if Updating() {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644)) //nolint:gosec // for everybody
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, variable+"=1 go test writes it")
	require.Equal(t, string(want), got, "%s; %s=1 go test writes it again", path, variable)
}

// Part fails the test unless the file has exactly this text between the two marks, each of which it
// has once.
func Part(t testing.TB, path, begin, end, got string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "%s has no %s", path, begin)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no %s", path, end)
	File(t, path, before+begin+got+end+after)
}
