package unit

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/systemd"
)

func TestVariablesOfAUnit(t *testing.T) {
	env := []string{"OPTS=-f /a", "A=1", "OPTS=-L 'the node' -f /b", "EMPTY="}
	for line, want := range map[string][]string{
		"-f $A":             {"-f", "1"},
		"$OPTS":             {"-L", "the node", "-f", "/b"},
		"${OPTS}":           {"-L 'the node' -f /b"},
		"$EMPTY $NONE":      nil,
		"-f /x/${A}/${A}.y": {"-f", "/x/1/1.y"},
		"$$A a$$ a$A ${A":   {"$A", "a$", "a$A", "${A"},
	} {
		require.Equal(t, want, resolved(strings.Fields(line), env), line)
	}
}

func TestCommandsOfTheDistributions(t *testing.T) {
	command := func(line string) systemd.Command {
		words := strings.Fields(line)
		return systemd.Command{Path: words[0], Args: words}
	}
	for line, want := range map[string]bool{
		"/usr/sbin/haproxy -Ws -f $CONFIG -c -q $EXTRAOPTS": true, // Debian
		"/bin/kill -USR2 $MAINPID":                          true,
		"/usr/bin/kill -s USR2 ${MAINPID}":                  true,
		"/usr/sbin/haproxy -f /etc/x":                       false,
		"/bin/kill -HUP 1":                                  false,
		"/bin/sh -c true":                                   false,
	} {
		require.Equal(t, want, usual(command(line)), line)
	}
	long := command("/bin/sh -c " + strings.Repeat("x", 100))
	require.Equal(t, []string{"ExecReload=/bin/sh -c " + strings.Repeat("x", 49) + "…"},
		OtherCommands(systemd.Settings{Commands: map[string][]systemd.Command{
			"ExecReload": {long}, "ExecStart": {command("/opt/run")}}}))
}

// TestAnotherFileOfTheUnit: CONFIG of /etc/default/haproxy names the file that HAProxy reads.
func TestAnotherFileOfTheUnit(t *testing.T) {
	file := t.TempDir() + "/lb.cfg"
	require.NoError(t, os.WriteFile(file, []byte("global\n"), 0o600))
	s := systemd.Settings{Env: []string{"CONFIG=" + file}, Commands: map[string][]systemd.Command{
		"ExecStart": {{Path: "/usr/sbin/haproxy", Args: []string{"haproxy", "-Ws", "-f", "$CONFIG"}}},
	}}
	r := Resource{Conffile: contract.DefaultConffile, Unit: "haproxy.service"}
	require.Contains(t, r.MissingFiles(s), "set conffile="+file)
	r.Conffile = "/srv/other.cfg"
	require.Empty(t, r.MissingFiles(s), "another resource's")
	r.Conffile = file
	require.Empty(t, r.MissingFiles(s))
	s.Env = []string{"CONFIG=/nonexistent"}
	r.Conffile = contract.DefaultConffile
	require.Empty(t, r.MissingFiles(s), "HAProxy would not start with it")
}
