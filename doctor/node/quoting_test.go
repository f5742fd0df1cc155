package node_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/needs"
)

// TestRemediesQuote what stands in the cluster's configuration: it is one word to a shell.
func TestRemediesQuote(t *testing.T) {
	needs.Root(t)
	w := newWorld(t)
	dir := t.TempDir()
	token := filepath.Join(dir, "to ken;touch ${HOME+evil}")
	require.NoError(t, os.WriteFile(token, []byte("dop_v1_x\n"), 0o600))
	require.NoError(t, os.Chmod(token, 0o644))
	w.floatip = nv("ip", "203.0.113.10") + nv("token_file", token)
	w.findsOne("token-file", doctor.Error, "is open to others", "chmod 0600 '"+token+"'")
	for _, fix := range w.finds("token-file")[0].Fix {
		sh := exec.Command("sh", "-c", fix)
		sh.Dir = dir
		require.NoError(t, sh.Run())
	}
	require.Empty(t, w.finds("token-file"), "the commands fix it")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)

	w.params = nv("extraconf", "-L $(id) -m 512")
	w.CheckConfig = func(context.Context, inventory.HAProxy) error { return errors.New("refused") }
	w.findsOne("haproxy-config", doctor.Error, "refused", " -L '$(id)' -m 512")
}
