package bench

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// Sh runs a command as an operator would, on the cluster in the file.
func (b *Cluster) Sh(t *testing.T, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", command)
	cmd.Env = append(os.Environ(), "CIB_file="+b.Path,
		"PATH="+b.Commands+":/usr/sbin:/usr/bin:/sbin:/bin")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", command, out)
}

// Verify lets Pacemaker judge the configuration.
func (b *Cluster) Verify(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), needs.Command(t, "crm_verify"), "--xml-file",
		b.Path, "-V").CombinedOutput()
	if err != nil { // it warns of what the status says, too
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 78, exit.ExitCode(), "%s", out)
	}
	for line := range strings.Lines(string(out)) {
		// as the finding says
		known := slices.ContainsFunc([]string{
			"might be active on 3 nodes", "no STONITH resources",
			"'stop' because fencing is disabled", "'panic' is invalid", "Either configure some",
			"NOTE: Clusters with shared data",
			"CIB did not pass schema validation", // how Pacemaker 3.0 sums up the others
		}, func(words string) bool { return strings.Contains(line, words) })
		require.True(t, !strings.Contains(line, "error:") || known, "%s", line)
	}
}

// Hawser builds the command, which the commands of findings use, and returns its directory.
func Hawser(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/hawser",
		"github.com/hawser-ha/hawser/cmd/hawser").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// Readable fails where a shell cannot read the command.
func Readable(t *testing.T, command string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-nc", command).CombinedOutput()
	require.NoError(t, err, "%s: %s", command, out)
}
