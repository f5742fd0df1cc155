package adopt_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/adopt"
	"github.com/hawser-ha/hawser/internal/needs"
)

// simulates runs crm_simulate on the file, which becomes what comes of it.
func simulates(t *testing.T, path string, args ...string) {
	t.Helper()
	out := path + ".out"
	_ = os.Remove(out)
	said, err := exec.Command("crm_simulate", append(args, "--simulate", "--xml-file", path, "--save-output", out)...).CombinedOutput()
	require.NoError(t, err, string(said))
	require.NoError(t, os.Rename(out, path))
}

// wentBack plays with Pacemaker's scheduler what it does when lb-1, where A is, is lost and returns.
func wentBack(t *testing.T, xml []byte) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cib.xml")
	require.NoError(t, os.WriteFile(path, xml, 0o600))
	where := func() string {
		out, err := exec.Command("crm_simulate", "--xml-file", path).CombinedOutput()
		require.NoError(t, err)
		found := regexp.MustCompile(`\* A\s.*Started (lb-[12])`).FindSubmatch(out)
		require.NotNil(t, found, string(out))
		return string(found[1])
	}
	simulates(t, path, "--node-up", "lb-1", "--node-up", "lb-2")
	require.Equal(t, "lb-1", where())
	simulates(t, path, "--node-down", "lb-1")
	require.Equal(t, "lb-2", where())
	simulates(t, path, "--node-up", "lb-1")
	return where() == "lb-1"
}

// failback is what Pacemaker did before.
func TestFailbackIsWhatPacemakerDid(t *testing.T) {
	needs.Command(t, "crm_simulate")
	const head = "primitive haproxy ocf:hawser:haproxy\nclone haproxy-clone haproxy\n" +
		"primitive A ocf:hawser:floatip params ip=192.0.2.10 provider=lan\ncolocation c inf: A haproxy-clone\n"
	const second = "primitive B ocf:hawser:floatip params ip=192.0.2.20 provider=lan\n"
	for name, statements := range map[string]string{
		"one":          head + "location l A %d: lb-1\n",
		"one, by rule": head + "location l A rule %d: #uname eq lb-1\n",
		"two in a group": "primitive haproxy ocf:hawser:haproxy\nclone haproxy-clone haproxy\nprimitive A ocf:hawser:floatip params ip=192.0.2.10 provider=lan\n" +
			second + "group g A B\ncolocation c inf: g haproxy-clone\nlocation l g %d: lb-1\n",
		"in a group with HAProxy": "primitive A ocf:hawser:floatip params ip=192.0.2.10 provider=lan\nprimitive haproxy ocf:hawser:haproxy\n" +
			"group g A haproxy\nlocation l g %d: lb-1\n",
		"two together":               head + second + "colocation b inf: B A\nlocation l A %d: lb-1\n",
		"one with something of ours": head + "primitive d ocf:pacemaker:Dummy\ncolocation dA inf: d A\nlocation l A %d: lb-1\n",
	} {
		for _, tc := range []struct{ score, stickiness int }{{100, 0}, {100, 40}, {100, 60}, {100, 100}, {100, 200}} {
			t.Run(fmt.Sprintf("%s, %d and %d", name, tc.score, tc.stickiness), func(t *testing.T) {
				cib, err := cluster(t, fmt.Sprintf("rsc_defaults resource-stickiness=%d\n", tc.stickiness)+
					fmt.Sprintf(statements, tc.score)).Query(t.Context())
				require.NoError(t, err)
				found, err := adopt.Read(cib, "hawser.yaml", "/etc/hawser/token")
				require.NoError(t, err)
				_, back := found.File.GoesBack(&found.File.Addresses[0])
				require.Equal(t, wentBack(t, cib.XML()), back, "%s", found.YAML)
			})
		}
	}
}
