package lab

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
)

func TestParseAccess(t *testing.T) {
	a, err := parseAccess(`1795224258.032 10.132.0.12 200 "192.0.2.2, 198.51.100.9" "GET / HTTP/1.1"`)
	require.NoError(t, err)
	require.Equal(t, Access{
		At: time.UnixMilli(1795224258032), Balancer: "10.132.0.12", Client: "192.0.2.2, 198.51.100.9", Request: "GET / HTTP/1.1", Status: 200,
	}, a)
	for _, bad := range []string{"", `x 10.132.0.12 200 "a" "b"`, `1.5 here 200 "a" "b"`, `1.5 10.132.0.12 ok "a" "b"`, `1.5 10.132.0.12 200 "a"`} {
		_, err := parseAccess(bad)
		require.Error(t, err, bad)
	}
}

func TestParseCrmMon(t *testing.T) {
	c, err := parseCrmMon([]byte(`<pacemaker-result><summary><current_dc present="true" name="lb-2" with_quorum="true"/></summary>
		<nodes><node name="lb-2" online="true" pending="false"/><node name="lb-1" online="true" pending="false"/>
		<node name="lb-3" online="true" pending="true"/><node name="lb-4" online="false" pending="false"/></nodes></pacemaker-result>`))
	require.NoError(t, err)
	require.Equal(t, Cluster{DC: "lb-2", Quorate: true, Online: []string{"lb-1", "lb-2"}}, c)
	c, err = parseCrmMon([]byte(`<pacemaker-result><summary><current_dc present="false"/></summary></pacemaker-result>`))
	require.NoError(t, err)
	require.Zero(t, c)
	_, err = parseCrmMon([]byte("crm_mon: connection failed"))
	require.Error(t, err)
}

func TestTmpfiles(t *testing.T) {
	require.Equal(t, []file{
		{Path: "/run/haproxy", Mode: os.ModeDir | os.ModeSetgid | 0o775, Owner: "haproxy", Group: "haproxy"},
		{Path: "/run/resource-agents", Mode: os.ModeDir | os.ModeSticky | 0o755, Owner: "root", Group: "root"},
		{Path: "/run/old", Mode: os.ModeDir | 0o755},
	}, tmpfiles(`# comment
d /run/haproxy 2775 haproxy haproxy -
D /run/resource-agents/ 1755 root root
d /var/run/old
d /run/user/%U 0700 - - -
f /run/utmp 0664 root utmp -
d /var/cache/man 0755 man man 1w
d /run/systemd/seats 0755 root root -
`))
}

func TestProbeReport(t *testing.T) {
	r := probeReport(load.Report{
		Requests: 4, OK: 3, Failed: 1, LongestGap: 3 * time.Second, Failures: map[load.Kind]int{load.Refused: 1},
		Answers: map[string]int{"app-1 via 10.0.0.1": 1, "app-1 via 10.0.0.2": 1, "app-2 via 10.0.0.2": 1},
	}, map[string]string{"10.0.0.1": "lb-1"})
	require.Equal(t, ProbeReport{
		Requests: 4, Failures: 1, LongestGap: 3 * time.Second,
		Servers: map[string]int{"app-1": 2, "app-2": 1}, Balancers: map[string]int{"lb-1": 1, "10.0.0.2": 2},
		Errors: map[string]int{"connection refused": 1},
	}, r)
}

func TestLayout(t *testing.T) {
	nodes := layout(32, 32)
	seen := map[string]string{}
	for _, n := range nodes {
		for _, nic := range n.nics() {
			require.LessOrEqual(t, len(port(n.Name, nic)), 15, "IFNAMSIZ")
			for _, p := range nic.addrs {
				require.Empty(t, seen[p.String()], "%s: %s", n.Name, p)
				seen[p.String()] = n.Name
			}
		}
	}
	require.Equal(t, "2001:db8:1::42/64", nodes[31].Public6.String())
	require.Equal(t, "198.51.100.42/24", nodes[31].Public.String())
}

func FuzzParseAccess(f *testing.F) {
	f.Add(`1795224258.032 10.132.0.12 200 "192.0.2.2" "GET / HTTP/1.1"`)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = parseAccess(s) })
}

func FuzzParseCrmMon(f *testing.F) {
	f.Add(`<r><summary><current_dc present="true" name="a" with_quorum="true"/></summary><nodes><node name="a" online="true"/></nodes></r>`)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = parseCrmMon([]byte(s)) })
}

func FuzzTmpfiles(f *testing.F) {
	f.Add("d /run/haproxy 2775 haproxy haproxy -\nD /run/x/ :1755 root -")
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range tmpfiles(s) {
			require.True(t, d.Mode.IsDir())
			require.Regexp(t, "^/run/", d.Path)
		}
	})
}

func FuzzParseCuts(f *testing.F) {
	f.Add(`[["lb-1","lb-2"]]`)
	f.Fuzz(func(_ *testing.T, s string) { _, _ = parseCuts([]byte(s)) })
}
