package instance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/unit"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// A reload that fails before HAProxy was asked leaves the fragment as it was: with the path of the socket
// that serves.
func TestReloadThatFailsEarlyLeavesTheFragment(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	in := Instance{Files: contract.Files{Dir: t.TempDir()}, Settings: Settings{Conffile: conf}}
	require.NoError(t, in.WriteFragment(in.StatsSocket(), nil, nil))
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

// Whom the unit runs HAProxy as is asked at a start, and not after a crash.
func TestOwnerThatTheStartHasFound(t *testing.T) {
	in := Instance{Files: contract.Files{Dir: t.TempDir()},
		Settings: Settings{Conffile: filepath.Join(t.TempDir(), "haproxy.cfg")}}
	given := systemd.Unchanged()
	given.User = "nobody-knows-this-user"
	require.ErrorContains(t, in.WriteFragment(in.StatsSocket(), given, nil), "User=nobody-knows-this-user")
	require.NoError(t, in.Save(State{Given: given, Owner: &unit.Owner{UID: 1234, GID: 1235}}))
	require.NoError(t, in.WriteFragment(in.StatsSocket(), given, nil))
	text, err := os.ReadFile(in.Fragment())
	require.NoError(t, err)
	require.Contains(t, string(text), "\tuid 1234\n\tgid 1235\n\tunix-bind uid 1234 gid 1235\n")
	other := *given
	other.User = "nor-this-one"
	require.ErrorContains(t, in.WriteFragment(in.StatsSocket(), &other, nil), "User=nor-this-one")
}
