package instance

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/systemd"
)

func TestStateOfAnotherBootMeansNothing(t *testing.T) {
	f := Instance{Files: contract.Files{Dir: t.TempDir()}}
	want := State{Master: Process{PID: 1, Start: 2, Exe: "/x"}, Env: []string{"A=b"},
		Pending: &Pending{Reason: "r"}}
	require.NoError(t, f.Save(want))
	got, ok := f.Load()
	require.True(t, ok)
	require.Equal(t, want.Master, got.Master)
	text, err := os.ReadFile(f.State())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(f.State(),
		[]byte(strings.Replace(string(text), got.Boot, "another", 1)), 0o600))
	_, ok = f.Load()
	require.False(t, ok)
}

func TestEnvironmentOfTheUnit(t *testing.T) {
	own := []string{"HAWSER_NODE=lb-1"}
	require.Equal(t, own, WithUnitEnvironment(nil, own))
	// Environment= comes before EnvironmentFile=, as systemd gives them: the last word counts, if
	// it is an empty one too.
	unit := &systemd.Settings{Env: []string{"SITE=harbour", "PATH=/opt", "GREETING=hello",
		"HAWSER_NODE=mine", "SITE=", FamilyVariable + "=x"}}
	require.Equal(t, []string{"GREETING=hello", "SITE=", "HAWSER_NODE=lb-1"},
		WithUnitEnvironment(unit, own))
}

// TestFilesBehindTwoDashes: HAProxy takes each word after -- for a file.
func TestFilesBehindTwoDashes(t *testing.T) {
	in := Instance{Settings: Settings{Conffile: "/a", Extraconf: []string{"-f", "/b", "-L", "me",
		"--", "/c", "/d"}}}
	require.Equal(t, []string{"/a", "/b", "/c", "/d"}, in.UserFiles())
}

// No two instances have a scope of the same name, whatever they are called.
func TestNamesOfScopesDoNotCollide(t *testing.T) {
	whose := map[string]string{}
	for _, name := range []string{"web", "web-again", "web-again-again", "keeper-web",
		"keeper-keeper-web", "keeper-web-again"} {
		in := Instance{Files: contract.FilesOf("/run", name)}
		for _, scope := range []string{in.Scope().Name, in.Scope().Spare, in.KeeperScope().Name} {
			require.Empty(t, whose[scope], "%s is %s's too", scope, name)
			whose[scope] = name
		}
	}
}
