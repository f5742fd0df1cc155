package metadata_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/metadata"
)

func FuzzID(f *testing.F) {
	for _, seed := range []string{"1", "12\n", "007", "-3", "", "99999999999999999999", "1e3",
		"<html>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := metadata.ParseID(text); err == nil {
			n, err := strconv.Atoi(id)
			require.NoError(t, err)
			require.Positive(t, n)
			require.Equal(t, strings.TrimSpace(text), id)
		}
	})
}

func FuzzNote(f *testing.F) {
	f.Add("boot 12\n", "boot")
	f.Add("", "")
	f.Add("boot", "boot")
	f.Fuzz(func(t *testing.T, text, boot string) {
		path := filepath.Join(t.TempDir(), "note")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		if id, ok := metadata.ParseNote(path, boot); ok {
			require.Equal(t, []string{boot, id}, strings.Fields(text))
		}
	})
}
