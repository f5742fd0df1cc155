package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/flags"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

func TestMain(m *testing.M) {
	lab.Reexec()
	os.Exit(m.Run())
}

// output is a writer for several goroutines.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func hawserLab(ctx context.Context, args ...string) (code int, stdout, stderr *output) {
	stdout, stderr = &output{}, &output{}
	return run(ctx, append([]string{"hawser-lab"}, args...), streams{strings.NewReader(""), stdout, stderr}), stdout, stderr
}

func TestFlagsFirst(t *testing.T) {
	app := newApp(streams{})
	for in, want := range map[string]string{
		"x probe URL --every 10ms --json --for=3s": "x probe --every 10ms --json --for=3s URL",
		"x --name a exec lb-1 -- ls -l --name b":   "x --name a exec lb-1 -- ls -l --name b",
		"x exec --name a lb-1 ls -l":               "x exec --name a lb-1 ls -l",
		"x cloud fault status --status 503":        "x cloud fault --status 503 status",
		"x cloud --name a holder 203.0.113.10":     "x cloud --name a holder 203.0.113.10",
		"x kill lb-1 --name a":                     "x kill --name a lb-1",
		"x cut a -- b":                             "x cut a -- b",
		"x nonsense --name a":                      "x nonsense --name a",
		"x probe --every":                          "x probe --every",
		"x":                                        "x",
	} {
		require.Equal(t, want, strings.Join(flags.First(app, strings.Fields(in), "exec"), " "), in)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for line, want := range map[string]string{
		"nonsense":                    `no command "nonsense"`,
		"cloud nonsense":              `no command "nonsense"`,
		"kill":                        "wants NODE",
		"cut lb-1":                    "wants A and B",
		"exec lb-1":                   "needs a node and a command",
		"up --nodes three":            "invalid value",
		"up --nodes 0":                "at least one",
		"up extra":                    "no arguments",
		"probe":                       "wants URL",
		"demo":                        "overlay",
		"kill lb-1 --flag-unknown":    "flag-unknown",
		"conf haproxy.cfg":            "wants FILE and NODE",
		"conf nginx.conf lb-1":        "an application server has nginx.conf",
		"conf --apps 0 x y":           "at least one",
		"up --sites 2":                "write 2x2",
		"up --sites 9x9":              "there can be 2 to 4",
		"up --sites 2x2 --nodes 3":    "leave --nodes out",
		"up --qnetd maybe":            "write yes, no or apart",
		"slow a b":                    "wants A and B and DELAY",
		"lose a b":                    "wants A and B and PERCENT",
		"heal a":                      "A and B, not 1 arguments",
		"holders here":                "is not an IP address",
		"holders 192.0.2.1 --every 0": "more than 0",
	} {
		code, _, stderr := hawserLab(t.Context(), strings.Fields(line)...)
		require.Contains(t, stderr.String(), want, line)
		require.Equal(t, exitUsage, code, line)
	}
	code, _, stderr := hawserLab(t.Context(), "--name", "none-such", "status")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr.String(), "no such lab")
	require.Contains(t, stderr.String(), "none-such up")
	t.Setenv("HAWSER_LAB", "of-the-environment")
	for _, line := range []string{"--name none-such status", "status --name none-such", "--name none-such cloud show"} {
		_, _, stderr = hawserLab(t.Context(), strings.Fields(line)...)
		require.Contains(t, stderr.String(), "none-such up", "--name wins over HAWSER_LAB")
	}
	_, _, stderr = hawserLab(t.Context(), "status")
	require.Contains(t, stderr.String(), "of-the-environment up")
	code, _, stderr = hawserLab(t.Context(), "status", "--name", "UPPER")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr.String(), "lower-case")
}

// TestConf is what vagrant/provision.sh asks for; package lab has the whole files.
func TestConf(t *testing.T) {
	for line, want := range map[string]string{
		"conf haproxy.cfg lb-3":                                  "\tserver app-2 10.132.0.102:80 check\n",
		"conf nginx.conf app-2":                                  "return 200 \"app-2 via",
		"conf --apps 3 haproxy.cfg lb-1":                         "server app-3 ",
		"conf --nodes 2 corosync.conf lb-1":                      "two_node: 1",
		"conf --sites 2x2 haproxy.cfg lb-3":                      ".elif streq(\"$HAWSER_SITE\",\"reserve\")\n\tserver app-3 10.132.0.103:443\n",
		"conf --sites 2x2 nginx.conf app-4":                      "listen 10.132.0.104:443 ssl;",
		"conf --sites 2x2 --qnetd no corosync.conf lb-1":         "name: lb-4",
		"conf --sites 2x2 --qnetd-timeout 2s corosync.conf lb-1": "sync_timeout: 6000",
		"conf --nodes 2 --qnetd yes corosync.conf lb-1":          "host: 10.132.0.5",
	} {
		code, stdout, stderr := hawserLab(t.Context(), strings.Fields(line)...)
		require.Equal(t, exitOK, code, "%s", stderr)
		require.Contains(t, stdout.String(), want, line)
	}
}

func overlay(t *testing.T) string {
	t.Helper()
	needs.Root(t)
	dir := os.Getenv("HAWSER_OVERLAY")
	require.NotEmpty(t, dir, "HAWSER_OVERLAY is not set: run `make test-cluster`, which installs hawser where the nodes find it")
	return dir
}

// TestCommands goes through the commands on a small lab.
func TestCommands(t *testing.T) {
	needs.Root(t)
	const name = "commands"
	require.NoError(t, lab.Down(t.Context(), name))
	t.Cleanup(func() { require.NoError(t, lab.Down(context.Background(), name)) })
	t.Setenv("HAWSER_LAB", name)
	ok := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := hawserLab(t.Context(), args...)
		require.Equal(t, exitOK, code, stderr.String())
		return stdout.String()
	}
	fails := func(code int, args ...string) string {
		t.Helper()
		got, _, stderr := hawserLab(t.Context(), args...)
		require.Equal(t, code, got, stderr.String())
		return stderr.String()
	}
	require.Contains(t, ok("up", "--nodes", "1", "--apps", "1"), "1 balancers online, quorate, with a DC")
	require.Contains(t, fails(exitFailed, "up"), "exists already")
	require.Equal(t, "lb-1\n", ok("exec", "lb-1", "--", "hostname"))
	require.Equal(t, "lb-1\n", ok("exec", "lb-1", "hostname"))
	fails(7, "exec", "lb-1", "--", "sh", "-c", "exit 7")
	require.Contains(t, fails(127, "exec", "lb-1", "--", "no-such-program"), "not found")
	require.Contains(t, fails(exitFailed, "exec", "lb-7", "--", "true"), "lb-1 app-1 client")

	ok("cloud", "move", "203.0.113.10", "lb-1")
	require.Equal(t, "lb-1\n", ok("cloud", "holder", "203.0.113.10"))
	ok("cloud", "latency", "20ms")
	ok("cloud", "fault", "status", "--status", "503", "--count", "2")
	ok("cloud", "action-time", "11s")
	ok("cut", "lb-1", "cloud")
	status := ok("status")
	for _, want := range []string{
		"quorate, DC lb-1, online: lb-1", "203.0.113.10: held by lb-1", "fault: latency --delay 20ms", "fault: status --status 503 --count 2",
		"moves an address in 11s", "cut: lb-1 and cloud",
	} {
		require.Contains(t, status, want)
	}
	ok("heal")
	ok("slow", "lb-1", "client", "20ms", "--jitter", "5ms")
	ok("lose", "--one-way", "client", "lb-1", "0.5%")
	ok("cut", "--one-way", "lb-1", "app-1")
	status = ok("status")
	for _, want := range []string{
		"link: from lb-1 to client: 20ms late, give or take 5ms\n",
		"link: from client to lb-1: 20ms late, give or take 5ms, 0.5% lost\n",
		"link: from lb-1 to app-1: cut\n",
	} {
		require.Contains(t, status, want)
	}
	ok("heal", "client", "lb-1")
	require.NotContains(t, ok("status"), "ms late")
	require.Contains(t, ok("status"), "link: from lb-1 to app-1: cut\n")
	require.Contains(t, fails(exitUsage, "lose", "lb-1", "client", "much"), "not a percentage")
	require.Contains(t, fails(exitUsage, "cut", "--sites", "lb-1", "client"), "is no site")
	require.Contains(t, fails(exitFailed, "slow", "lb-1", "lb-9", "1ms"), `no node "lb-9"`)
	ok("heal")
	ok("exec", "lb-1", "--", "ip", "address", "add", "198.51.100.200/24", "dev", "eth0")
	require.Regexp(t, `client asked \d+ times\n  lb-1 +`, ok("holders", "198.51.100.200", "--for", "300ms"))
	require.Contains(t, ok("holders", "198.51.100.200", "--for", "100ms", "--json"), `"Conflicts": null`)
	require.Contains(t, ok("holders", "198.51.100.201", "--for", "100ms"), "nobody answered")
	ok("cloud", "clear")
	require.NotContains(t, ok("status"), "fault:")
	require.Contains(t, ok("status", "--json"), `"Quorate": true`)
	require.Contains(t, ok("cloud", "show"), `"Reserved"`)
	require.Contains(t, fails(exitUsage, "cloud", "fault", "gremlins"), "metadata-stale")
	require.Contains(t, fails(exitUsage, "cloud", "holder", "here"), "not an IP address")
	require.Contains(t, fails(exitUsage, "cloud", "latency", "soon"), "not a duration")

	ok("exec", "lb-1", "--", "sh", "-c", "HAWSER_ANCHOR_IP=10.17.0.11 haproxy -D -f /etc/haproxy/haproxy.cfg")
	probe := ok("probe", "http://203.0.113.10/", "--every", "20ms", "--for", "200ms")
	require.Contains(t, probe, "0 failed")
	require.Contains(t, probe, "through      lb-1")
	require.Contains(t, ok("probe", "http://203.0.113.10/", "--json", "--for", "100ms"), `"longest_gap_ms"`)
	require.Contains(t, fails(exitFailed, "probe", "http://203.0.113.10:9/", "--for", "100ms"), "connection refused")
	require.Contains(t, fails(exitFailed, "probe", "ftp://203.0.113.10/"), "http://")

	ok("kill", "lb-1")
	require.Contains(t, ok("status"), "cluster: unavailable")
	require.Contains(t, fails(exitFailed, "exec", "lb-1", "--", "true"), "boot lb-1")
	ok("boot", "lb-1")
	require.Contains(t, fails(exitFailed, "boot", "lb-1"), "is running")
	ok("reboot", "app-1")
	ok("down")
	ok("down")
	require.Contains(t, fails(exitFailed, "status"), "no such lab")
}

// TestDemo runs the demonstration, which checks itself.
func TestDemo(t *testing.T) {
	dir := overlay(t)
	const name = "demo-test"
	require.NoError(t, lab.Down(t.Context(), name))
	begun := time.Now()
	code, stdout, stderr := hawserLab(t.Context(), "demo", "--overlay", dir, "--name", name)
	require.Equal(t, exitOK, code, "%s\n%s", stdout, stderr)
	require.Less(t, time.Since(begun), 2*time.Minute)
	for _, want := range []string{
		"lb-1# hawser plan -f /etc/hawser/hawser.yaml", "start FloatIP on lb-", "lb-1# hawser apply", "lb-1# hawser status", "bind \"${HAWSER_ANCHOR_IP}:80\"",
	} {
		require.Contains(t, stdout.String(), want)
	}
	require.Regexp(t, regexp.MustCompile(`(?m)^HAProxy stopped +stays at lb-\d .* none +yes$`), stdout.String())
	require.Regexp(t, regexp.MustCompile(`(?m)^node rebooted +lb-\d -> lb-\d .* none +yes$`), stdout.String())
	require.Regexp(t, regexp.MustCompile(`(?m)^power cut +lb-\d -> lb-\d .* none +yes$`), stdout.String())
	require.Contains(t, stdout.String(), comparison)
	ours, _, _ := strings.Cut(stdout.String(), "lb-1# hawser plan") // hawser's own lines are as long as they are
	_, rest, _ := strings.Cut(stdout.String(), "client# curl")
	for line := range strings.Lines(ours + rest) {
		require.LessOrEqual(t, len(line), 81, line)
	}
	_, err := lab.Open(name)
	require.ErrorIs(t, err, lab.ErrNotFound)
}

// TestDemoInterrupted presses Ctrl-C while the cluster works.
func TestDemoInterrupted(t *testing.T) {
	dir := overlay(t)
	const name = "demo-interrupted"
	require.NoError(t, lab.Down(t.Context(), name))
	ctx, cancel := context.WithCancel(t.Context())
	stdout, stderr := &output{}, &output{}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"hawser-lab", "--name", name, "demo", "--overlay", dir}, streams{strings.NewReader(""), stdout, stderr})
	}()
	require.Eventually(t, func() bool { return strings.Contains(stdout.String(), "A client asks") }, time.Minute, 10*time.Millisecond)
	cancel()
	select {
	case code := <-done:
		require.Equal(t, exitInterrupted, code, "%s\n%s", stdout, stderr)
	case <-time.After(30 * time.Second):
		t.Fatal("not ended within 30 s of Ctrl-C")
	}
	_, err := lab.Open(name)
	require.ErrorIs(t, err, lab.ErrNotFound)
}
