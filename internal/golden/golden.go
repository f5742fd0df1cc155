// Package golden compares what a test has generated with a file that is kept beside it.
// HAWSER_UPDATE=1 rewrites the files; check the difference before you commit it. It is for tests,
// and imports nothing of ours.
//
// There is only this file.
package golden

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Equal fails the test unless testdata/name holds exactly this text.
func Equal(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("HAWSER_UPDATE") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "HAWSER_UPDATE=1 go test writes it")
	require.Equal(t, string(want), got, "%s; HAWSER_UPDATE=1 go test rewrites it", path)
}
