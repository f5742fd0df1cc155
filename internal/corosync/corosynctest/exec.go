// Package corosynctest has the installed Corosync judge a configuration. It is for tests, and
// imports internal/needs only.
package corosynctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// Accepts fails the test unless `corosync -t` accepts the configuration on the node of that name,
// which has to be in its nodelist. Corosync finds the node by the machine's name, so the test needs
// root for a name of its own.
func Accepts(t testing.TB, conf, node string) {
	t.Helper()
	needs.Root(t)
	program := needs.Command(t, "corosync")
	dir := t.TempDir()
	key, file := filepath.Join(dir, "authkey"), filepath.Join(dir, "corosync.conf")
	require.NoError(t, os.WriteFile(key, make([]byte, 256), 0o600))
	// Only its verdict matters here, and the key is not in /etc.
	conf = strings.NewReplacer("to_stderr: no", "to_stderr: yes", "to_syslog: yes", "to_syslog: no",
		"\tversion: 2\n", "\tversion: 2\n\tkeyfile: "+key+"\n").Replace(conf)
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	cmd := exec.CommandContext(
		t.Context(),
		"unshare",
		"--uts",
		"sh",
		"-ec",
		`hostname "$1"; exec "$2" -t -c "$3"`,
		"sh",
		node,
		program,
		file,
	)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "corosync -t: %s\nof %s", out, conf)
}
