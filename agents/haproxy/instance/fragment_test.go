package instance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
)

// A reload that fails before HAProxy was asked leaves the fragment as it was: with the path of the socket
// that serves.
func TestReloadThatFailsEarlyLeavesTheFragment(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	in := Instance{Files: contract.Files{Dir: t.TempDir()}, Settings: Settings{Conffile: conf}}
	require.NoError(t, in.WriteFragment(in.StatsSocket(), nil))
	before, err := os.ReadFile(in.Fragment())
	require.NoError(t, err)
	// which is no file that can be read
	require.NoError(t, os.Remove(in.LastFragment()))
	require.NoError(t, os.Mkdir(in.LastFragment(), 0o700))
	err = in.reloadWhileAlive(t.Context(), &State{}, []client.Source{{File: conf, Text: "global\n"}})
	require.ErrorContains(t, err, "is a directory")
	after, err := os.ReadFile(in.Fragment())
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}
