package node_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/node"
)

// What apply and reload warn of is what the doctor finds.
func TestOtherVersions(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(w.root, "usr/lib/ocf/resource.d")
	says := func() string { return node.OtherVersions(t.Context(), dir, "1.0") }
	require.Empty(t, says(), "command and agents of one package")
	w.write("usr/lib/ocf/resource.d/hawser/haproxy", agentOf("0.9"), 0o755)
	require.Equal(t, "this hawser is 1.0, the agents here are 0.9: one may write what the other does not "+
		"understand; `hawser doctor` says more", says())
	w.write("usr/lib/ocf/resource.d/hawser/floatip", agentOf("0.9"), 0o755)
	require.Contains(t, says(), "are 0.9: ")
	w.write("usr/lib/ocf/resource.d/hawser/floatip", agentOf("0.8"), 0o755)
	require.Contains(t, says(), "are 0.9 and 0.8: ")

	hung, cancel := context.WithCancel(t.Context())
	cancel()
	require.Empty(t, node.OtherVersions(hung, dir, "1.0"), "one that does not answer in time says nothing")
	w.write("usr/lib/ocf/resource.d/hawser/floatip", "#!/bin/sh\nexit 1\n", 0o755)
	require.NoError(t, os.Remove(filepath.Join(dir, "hawser/haproxy")))
	require.Empty(t, says(), "nothing is known")
}

func TestAgents(t *testing.T) {
	const haproxyAgent = "usr/lib/ocf/resource.d/hawser/haproxy"
	for name, test := range map[string]struct {
		spoil    func(w *world)
		severity doctor.Severity
		what     string
		fix      string
	}{
		"missing, and used": {
			func(w *world) { require.NoError(t, os.Remove(filepath.Join(w.root, haproxyAgent))) },
			doctor.Error, "hawser/haproxy is missing", "reinstall hawser",
		},
		"missing, not used": {func(w *world) {
			require.NoError(t,
				os.Remove(filepath.Join(w.root, "usr/lib/ocf/resource.d/hawser/floatip")))
		}, doctor.Warning, "hawser/floatip is missing", "reinstall hawser"},
		"not executable": {
			func(w *world) { w.write(haproxyAgent, agentOf("1.0"), 0o644) }, doctor.Error,
			"is not executable (mode 0644)", "chmod 0755",
		},
		"of another version": {
			func(w *world) { w.write(haproxyAgent, agentOf("0.9"), 0o755) }, doctor.Warning,
			"is of version 0.9, the command of 1.0", "reinstall hawser",
		},
		"another of the name": {func(w *world) {
			require.NoError(t,
				os.Remove(filepath.Join(w.root, "usr/lib/ocf/resource.d/heartbeat/haproxy")))
			w.write("usr/lib/ocf/resource.d/heartbeat/haproxy", agentOf("1"), 0o755)
		}, doctor.Note, "heartbeat/haproxy is not hawser's agent", ""},
		"another of the name, and used": {func(w *world) {
			require.NoError(t,
				os.Remove(filepath.Join(w.root, "usr/lib/ocf/resource.d/heartbeat/haproxy")))
			w.write("usr/lib/ocf/resource.d/heartbeat/haproxy", agentOf("1"), 0o755)
			w.provider = "heartbeat"
		}, doctor.Warning, "heartbeat/haproxy is not hawser's agent", "ln -sfn ../hawser/haproxy"},
		"the other name is missing, and used": {func(w *world) {
			require.NoError(t,
				os.Remove(filepath.Join(w.root, "usr/lib/ocf/resource.d/heartbeat/haproxy")))
			w.provider = "heartbeat"
		}, doctor.Error, "heartbeat/haproxy is missing", "ln -sfn ../hawser/haproxy"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			require.Empty(t, w.finds("agents"))
			test.spoil(w)
			w.findsOne("agents", test.severity, test.what, test.fix)
		})
	}
}

func TestFenceAgent(t *testing.T) {
	w := newWorld(t)
	w.fences = `<primitive id="fence" class="stonith" type="fence_droplet"/>`
	w.findsOne("fence-agent", doctor.Error, "/usr/sbin/fence_droplet is missing",
		"apt-get install hawser")
	w.write("usr/sbin/fence_droplet", "#!/bin/sh\n", 0o644)
	w.findsOne("fence-agent", doctor.Error, "is not executable", "chmod 0755")
	w.write("usr/sbin/fence_droplet", "#!/bin/sh\n", 0o755)
	require.Empty(t, w.finds("fence-agent"))
	w.fences = `<primitive id="watchdog" class="stonith" type="fence_watchdog"/>`
	require.Empty(t, w.finds("fence-agent"), "Pacemaker's own")
	for agent, file := range map[string]string{
		"external/ipmi": "usr/lib/stonith/plugins/external/ipmi",
		"meatware":      "usr/lib/stonith/plugins/stonith2/meatware.so",
	} {
		w.fences = `<primitive id="fence" class="stonith" type="` + agent + `"/>`
		w.findsOne("fence-agent", doctor.Error, "/"+file+" is missing",
			"apt-get install cluster-glue")
		w.write(file, "", 0o755)
		require.Empty(t, w.finds("fence-agent"))
	}
}
