package pacemaker

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// look runs the checks.
func look(t *testing.T, b *bench.Cluster) []doctor.Finding {
	t.Helper()
	return doctor.Run(t.Context(), (&Cluster{Pacemaker: b, Files: b.Files, Node: "lb-1", Told: b.Told}).Checks()).Findings
}

// TestHealthyCluster finds nothing in what `hawser apply` writes.
func TestHealthyCluster(t *testing.T) {
	b := bench.New(t)
	require.Empty(t, look(t, b))
}

// TestClusterChecks provokes each finding in a valid configuration, and mends it with the commands of the finding where they need no
// running cluster.
func TestClusterChecks(t *testing.T) {
	hawser := bench.Hawser(t)
	type provoked struct {
		name    string
		provoke func(t *testing.T, b *bench.Cluster)
		check   string
		want    doctor.Severity
		says    string // among What and Why
		live    bool   // the commands need a running cluster, or a person
		also    []string
	}
	edit := func(old, with string) func(*testing.T, *bench.Cluster) {
		return func(t *testing.T, b *bench.Cluster) { b.Edit(t, old, with) }
	}
	sh := func(command string) func(*testing.T, *bench.Cluster) {
		return func(t *testing.T, b *bench.Cluster) { b.Sh(t, command) }
	}
	property := func(name, value string) func(*testing.T, *bench.Cluster) {
		return sh("crm_attribute --name " + name + " --update " + value)
	}
	for _, c := range []provoked{
		{name: "fencing off, device there", provoke: property("stonith-enabled", "false"), check: "fencing", want: doctor.Error, says: "the device fence is configured"},
		{name: "fencing off, a cloud's address", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
		}, check: "fencing", want: doctor.Warning, says: "there is no fencing", live: true},
		{name: "fencing off, a LAN's address", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
			b.Edit(t, `name="provider" value="digitalocean"`, `name="provider" value="lan"`)
		}, check: "fencing", want: doctor.Error, says: "holding FloatIP while", live: true},
		{name: "fencing off, left to the watchdogs", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Edit(t, `name="have-watchdog" value="false"`, `name="have-watchdog" value="true"`)
			b.File(t, "/proc/77/comm", "sbd\n")
			b.Sh(t, "crm_attribute --name stonith-watchdog-timeout --update 10s; crm_attribute --name stonith-enabled --update false")
		}, check: "fencing", want: doctor.Error, says: "although stonith-watchdog-timeout"},
		{name: "fencing on, and no device", provoke: edit(bench.PrimitiveFence, ""), check: "fencing", want: doctor.Error, says: "starts nothing at all", live: true},
		{name: "a device for two of three nodes", provoke: edit(bench.PrimitiveFence, strings.Replace(bench.PrimitiveFence, "<operations>", `<instance_attributes id="fi"><nvpair id="fi-l" name="pcmk_host_map" value="lb-1:1001;lb-3:1003"/></instance_attributes><operations>`, 1)),
			check: "fencing", want: doctor.Error, says: "no fence device is there for lb-2", live: true},
		{name: "fencing without a monitor", provoke: edit(`<operations><op id="fence-monitor-1h" name="monitor" interval="1h"/></operations>`, ""), check: "fencing", want: doctor.Warning, says: "has no monitor"},
		{name: "a device that failed", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, `call-id="30" rc-code="0"`, `exit-reason="login refused" call-id="30" rc-code="1"`)
			b.Edit(t, `transition-magic="0:0;20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" exit-reason="login refused"`, `transition-magic="0:1;20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" exit-reason="login refused"`)
		}, check: "fencing", want: doctor.Error, says: "login refused", live: true},
		{name: "a node that no device is there for", provoke: edit(bench.PrimitiveFence, strings.Replace(bench.PrimitiveFence, `<operations>`, `<instance_attributes id="fence-params"><nvpair id="fence-hosts" name="pcmk_host_list" value="lb-1 lb-2"/></instance_attributes><operations>`, 1)),
			check: "fencing", want: doctor.Error, says: "no fence device is there for lb-3", live: true},
		{name: "watchdogs alone, without a time-out", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Edit(t, `name="have-watchdog" value="false"`, `name="have-watchdog" value="true"`)
			b.File(t, "/proc/77/comm", "sbd\n")
		}, check: "fencing", want: doctor.Error, says: "stonith-watchdog-timeout is not set", also: []string{"sbd"}},

		{name: "sbd runs, the property is missing", provoke: func(t *testing.T, b *bench.Cluster) {
			b.File(t, "/proc/77/comm", "sbd\n")
			b.File(t, "/etc/default/sbd", "# sbd\nSBD_WATCHDOG_TIMEOUT=7\n")
		}, check: "sbd", want: doctor.Error, says: "stonith-watchdog-timeout is not set"},
		{name: "the property, and no sbd", provoke: property("stonith-watchdog-timeout", "10"), check: "sbd", want: doctor.Error, says: "no sbd runs", live: true},
		{name: "the property is too short", provoke: func(t *testing.T, b *bench.Cluster) {
			b.File(t, "/proc/77/comm", "sbd\n")
			b.File(t, "/etc/sysconfig/sbd", "SBD_WATCHDOG_TIMEOUT=\"15\"\n")
			b.Sh(t, "crm_attribute --name stonith-watchdog-timeout --update 10s")
		}, check: "sbd", want: doctor.Error, says: "fires after 15s"},
		{name: "the property is short", provoke: func(t *testing.T, b *bench.Cluster) {
			b.File(t, "/proc/77/comm", "sbd\n")
			b.Sh(t, "crm_attribute --name stonith-watchdog-timeout --update 8s")
		}, check: "sbd", want: doctor.Warning, says: "less than twice"},
		{name: "sbd's disk is nobody's", provoke: func(t *testing.T, b *bench.Cluster) {
			b.File(t, "/proc/77/comm", "sbd\n")
			b.File(t, "/etc/default/sbd", "SBD_DEVICE=\"/dev/disk/by-id/a;/dev/disk/by-id/b\"\n")
		}, check: "sbd", want: doctor.Error, says: "/dev/disk/by-id/a", live: true},

		{name: "quorum is ignored", provoke: property("no-quorum-policy", "ignore"), check: "quorum-policy", want: doctor.Error, says: "both serve"},
		{name: "quorum freezes", provoke: property("no-quorum-policy", "freeze"), check: "quorum-policy", want: doctor.Warning, says: "freeze"},
		{name: "suicide without fencing", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Sh(t, "crm_attribute --name stonith-enabled --update false; crm_attribute --name no-quorum-policy --update suicide")
		}, check: "quorum-policy", want: doctor.Warning, says: "takes it for stop", live: true, also: []string{"fencing"}},
		{name: "a policy that there is not", provoke: property("no-quorum-policy", "panic"), check: "quorum-policy", want: doctor.Warning, says: "does not know"},
		{name: "no quorum, and a node that is not seen", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, `have-quorum="1"`, `have-quorum="0"`)
			b.Remove(t, "//node_state[@uname='lb-2']")
		}, check: "quorum-policy", want: doctor.Error, says: "lb-2 not seen from here", live: true, also: []string{"nodes"}},
		{name: "no quorum", provoke: edit(`have-quorum="1"`, `have-quorum="0"`), check: "quorum-policy", want: doctor.Error, says: "has no quorum", live: true},

		{name: "standby", provoke: sh("crm_standby --node lb-2 --update on"), check: "nodes", want: doctor.Warning, says: "lb-2 is in standby"},
		{name: "maintenance of a node", provoke: sh("crm_attribute --node lb-2 --name maintenance --update true"), check: "nodes", want: doctor.Error, says: "lb-2 is in maintenance"},
		{name: "offline", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Cut(t, `<lrm id="3">`, `</lrm>`)
			b.Edit(t, `uname="lb-3" in_ccm="true" crmd="online" crm-debug-origin="do_update_resource" join="member" expected="member"`, `uname="lb-3" in_ccm="false" crmd="offline" join="down" expected="down"`)
		}, check: "nodes", want: doctor.Warning, says: "lb-3 is offline", live: true, also: []string{"fencing"}},
		{name: "unclean", provoke: edit(`uname="lb-3" in_ccm="true" crmd="online" crm-debug-origin="do_update_resource" join="member" expected="member"`, `uname="lb-3" in_ccm="false" crmd="offline" join="down" expected="member"`), check: "nodes", want: doctor.Error, says: "lb-3 is unclean", live: true},

		{name: "maintenance", provoke: property("maintenance-mode", "true"), check: "unmanaged", want: doctor.Error, says: "the whole cluster"},
		{name: "all stopped", provoke: property("stop-all-resources", "true"), check: "unmanaged", want: doctor.Error, says: "nothing is served"},
		{name: "one unmanaged", provoke: sh("crm_resource --resource FloatIP --meta --set-parameter is-managed --parameter-value false"), check: "unmanaged", want: doctor.Error, says: "FloatIP is not managed"},
		{name: "the clone unmanaged", provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter is-managed --parameter-value no"), check: "unmanaged", want: doctor.Error, says: "haproxy-clone is not managed"},
		{name: "all unmanaged by default", provoke: sh("hawser configure rsc_defaults is-managed=false"), check: "unmanaged", want: doctor.Error, says: "not managed by default"},
		{name: "all unmanaged by the old option", provoke: func(t *testing.T, b *bench.Cluster) { // of before schema 3.0
			b.Edit(t, `validate-with="pacemaker-3.9"`, `validate-with="pacemaker-2.10"`)
			b.Edit(t, `name="dc-deadtime" value="2s"/>`, `name="dc-deadtime" value="2s"/><nvpair id="imd" name="is-managed-default" value="false"/>`)
		}, check: "unmanaged", want: doctor.Error, says: "is-managed-default=false"},
		{name: "all stopped by default", provoke: sh("hawser configure rsc_defaults target-role=Stopped"), check: "unmanaged", want: doctor.Error, says: "resources are stopped by default"},
		{name: "a resource in maintenance", provoke: sh("crm_resource --resource FloatIP --meta --set-parameter maintenance --parameter-value true"), check: "unmanaged", want: doctor.Error, says: "FloatIP is in maintenance"},
		{name: "stopped", provoke: sh("crm_resource --resource FloatIP --meta --set-parameter target-role --parameter-value Stopped"), check: "unmanaged", want: doctor.Warning, says: "FloatIP is kept stopped"},

		{name: "moved", provoke: sh("crm_resource --move --resource FloatIP --node lb-3"), check: "leftovers", want: doctor.Warning, says: "FloatIP is bound to lb-3"},
		{name: "banned", provoke: sh("crm_resource --ban --resource FloatIP --node lb-1"), check: "leftovers", want: doctor.Warning, says: "FloatIP is banned from lb-1"},

		{name: "failed once", provoke: func(t *testing.T, b *bench.Cluster) { b.Fail(t, "FloatIP", "monitor", "2") }, check: "failures", want: doctor.Warning, says: "FloatIP has failed on lb-3, fail count 2", live: true},
		{name: "failed, with a reason", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Fail(t, "haproxy", "monitor", "2")
			b.Edit(t, `<lrm_resource id="haproxy" type="haproxy" class="ocf" provider="hawser">`, `<lrm_resource id="haproxy" type="haproxy" class="ocf" provider="hawser"><lrm_rsc_op id="haproxy_last_failure_0" operation_key="haproxy_monitor_15000" `+
				`operation="monitor" crm_feature_set="3.16.1" transition-key="20:2:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" transition-magic="0:1;20:2:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" exit-reason="its worker is gone" `+
				`call-id="40" rc-code="1" op-status="0" interval="15000" last-rc-change="1795274200" exec-time="5" queue-time="0"/>`)
		}, check: "failures", want: doctor.Warning, says: "its worker is gone", live: true},
		{name: "failed too often", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Fail(t, "haproxy", "start", "INFINITY")
			b.Edit(t, `<nvpair id="haproxy-meta_attributes-failure-timeout" name="failure-timeout" value="10s"/>`, "")
		}, check: "failures", want: doctor.Error, says: "does not run on lb-3 any more", live: true, also: []string{"recovery"}},

		{name: "failed too often, for a time", provoke: func(t *testing.T, b *bench.Cluster) { b.Fail(t, "haproxy", "start", "INFINITY") }, check: "failures", want: doctor.Warning, says: "for its failure-timeout, 10s", live: true},
		{name: "as often as it may", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Fail(t, "FloatIP", "monitor", "3")
			b.Sh(t, "crm_resource --resource FloatIP --meta --set-parameter migration-threshold --parameter-value 3")
			b.Edit(t, `<nvpair id="FloatIP-meta_attributes-failure-timeout" name="failure-timeout" value="60s"/>`, "")
		}, check: "failures", want: doctor.Error, says: "does not run on lb-3 any more", live: true, also: []string{"recovery"}},

		{name: "not cloned", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Unclone(t)
		}, check: "haproxy-clone", want: doctor.Error, says: "it is not cloned", also: []string{"address-colocation"}},
		{name: "not interleaved", provoke: edit(`name="interleave" value="true"`, `name="interleave" value="false"`), check: "haproxy-clone", want: doctor.Warning, says: "not interleaved"},
		{name: "on two nodes only", provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter clone-max --parameter-value 2"), check: "haproxy-clone", want: doctor.Warning, says: "on 2 of 3 nodes"},
		{name: "globally unique", provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter globally-unique --parameter-value true"), check: "haproxy-clone", want: doctor.Warning, says: "globally unique"},

		{name: "no colocation", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.ColocationIP, "")
			b.Edit(t, `<obj_ref id="FloatIP-haproxy"/>`, "")
		}, check: "address-colocation", want: doctor.Error, says: "there is no colocation"},
		{name: "no colocation, and no HAProxy there", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.ColocationIP, "")
			b.Edit(t, `<obj_ref id="FloatIP-haproxy"/>`, "")
			b.Remove(t, "//node_state[@uname='lb-1']//lrm_resource[@id='haproxy']")
		}, check: "address-colocation", want: doctor.Error, says: "it is on lb-1 now, where HAProxy does not run"},
		{name: "an address and no HAProxy", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Remove(t, "//clone")
			b.Remove(t, "//constraints/*")
			b.Remove(t, "//tags")
			b.Remove(t, "//lrm_resource[@id='haproxy']")
		}, check: "address-colocation", want: doctor.Warning, says: "and no HAProxy", live: true},
		{name: "another service's address", provoke: edit("</resources>", `<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="vi"><nvpair id="vi-ip" name="ip" value="192.0.2.9"/></instance_attributes>`+
			`<operations><op id="vip-m" name="monitor" interval="10s"/></operations></primitive></resources>`), check: "address-colocation", want: doctor.Warning, says: "vip is not kept with HAProxy"},
		{name: "the wrong way round", provoke: edit(bench.ColocationIP, `<rsc_colocation id="FloatIP-haproxy" score="INFINITY" rsc="haproxy-clone" with-rsc="FloatIP"/>`), check: "address-colocation", want: doctor.Error, says: "the wrong way round"},
		{name: "both ways", provoke: edit(bench.ColocationIP, bench.ColocationIP+`<rsc_colocation id="again" score="INFINITY" rsc="haproxy-clone" with-rsc="FloatIP"/>`), check: "address-colocation", want: doctor.Warning, says: "each placed with the other"},
		{name: "only a preference", provoke: edit(bench.ColocationIP, strings.Replace(bench.ColocationIP, "INFINITY", "100", 1)), check: "address-colocation", want: doctor.Warning, says: "only prefers"},
		{name: "kept away", provoke: edit(bench.ColocationIP, strings.Replace(bench.ColocationIP, "INFINITY", "-INFINITY", 1)), check: "address-colocation", want: doctor.Error, says: "kept away from haproxy-clone"},
		{name: "a colocation of sets", provoke: edit(bench.ColocationIP, `<rsc_colocation id="FloatIP-haproxy" score="INFINITY"><resource_set id="a"><resource_ref id="FloatIP"/></resource_set><resource_set id="b"><resource_ref id="haproxy-clone"/></resource_set></rsc_colocation>`), check: "address-colocation", want: doctor.Unknown, says: "sets of resources", live: true},

		{name: "no monitor", provoke: edit(bench.MonitorHAProxy, ""), check: "monitors", want: doctor.Error, says: "has no monitor"},
		{name: "a monitor that is not repeated", provoke: edit(bench.MonitorHAProxy, strings.Replace(bench.MonitorHAProxy, `interval="15s"`, `interval="0"`, 1)), check: "monitors", want: doctor.Error, says: "no monitor that is repeated"},
		{name: "a monitor that is off", provoke: edit(bench.MonitorHAProxy, strings.Replace(bench.MonitorHAProxy, `interval="15s"`, `interval="15s" enabled="false"`, 1)), check: "monitors", want: doctor.Error, says: "switched off"},
		{name: "a monitor that is ignored", provoke: edit(bench.MonitorHAProxy, strings.Replace(bench.MonitorHAProxy, `interval="15s"`, `interval="15s" on-fail="ignore"`, 1)), check: "monitors", want: doctor.Error, says: "ignored"},
		{name: "a monitor that comes too seldom", provoke: edit(bench.MonitorHAProxy, strings.Replace(bench.MonitorHAProxy, `interval="15s"`, `interval="2min"`, 1)), check: "monitors", want: doctor.Warning, says: "every 2min only"},
		{name: "no probes", provoke: property("enable-startup-probes", "false"), check: "monitors", want: doctor.Warning, says: "not asked what runs there"},

		{name: "a time-out shorter than advertised", provoke: edit(`<op id="haproxy-start-0s" name="start" interval="0s" timeout="30s"/>`, `<op id="haproxy-start-0s" name="start" interval="0s" timeout="25s"/>`), check: "operation-timeouts", want: doctor.Note, says: "start has 25s, and the agent asks for 30s"},
		{name: "Pacemaker's own time-out", provoke: edit(`<op id="haproxy-stop-0s" name="stop" interval="0s" timeout="30s"/>`, ""), check: "operation-timeouts", want: doctor.Warning, says: "stop has 20s, and the agent asks for 30s"},
		{name: "the time-out of all operations", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, `<op id="haproxy-stop-0s" name="stop" interval="0s" timeout="30s"/>`, "")
			b.Sh(t, "hawser configure op_defaults timeout=29s")
		}, check: "operation-timeouts", want: doctor.Warning, says: "stop has 29s, and the agent asks for 30s"},
		{name: "a time-out shorter than measured", provoke: edit(`exec-time="50" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0c751cf8"`, `exec-time="9000" queue-time="0" op-digest="f2317cad3d54cec5d7d7aa7d0c751cf8"`), check: "operation-timeouts", want: doctor.Warning, says: "start has 20s, and took 9s on lb-3"},

		{name: "no stickiness", provoke: edit(`<nvpair id="FloatIP-meta_attributes-resource-stickiness" name="resource-stickiness" value="100"/>`, ""), check: "recovery", want: doctor.Note, says: "no resource-stickiness"},
		{name: "no failure-timeout", provoke: edit(`<nvpair id="haproxy-meta_attributes-failure-timeout" name="failure-timeout" value="10s"/>`, ""), check: "recovery", want: doctor.Note, says: "haproxy has no failure-timeout"},

		{name: "the unit", provoke: edit(`<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`, `<primitive id="haproxy" class="systemd" type="haproxy">`), check: "resource-agents", want: doctor.Warning, says: "run as systemd:haproxy"},
		{name: "another agent", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, `<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`, `<primitive id="haproxy" class="ocf" provider="heartbeat" type="haproxy">`)
			b.File(t, "/usr/lib/ocf/resource.d/hawser/haproxy", "ours")
			b.File(t, "/usr/lib/ocf/resource.d/heartbeat/haproxy", "a shell script")
		}, check: "resource-agents", want: doctor.Warning, says: "not hawser's agent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bench.New(t)
			b.Commands = hawser
			c.provoke(t, b)
			b.Verify(t)
			all := look(t, b)
			var found []doctor.Finding
			for _, f := range all {
				if f.Check == c.check {
					found = append(found, f)
				} else {
					require.True(t, slices.Contains(c.also, f.Check), "not asked for: %+v", f)
				}
			}
			require.Len(t, found, 1, "%+v", all)
			f := found[0]
			require.Equal(t, c.want, f.Severity, "%+v", f)
			require.Contains(t, f.What+"\n"+f.Why, c.says)
			require.NotEmpty(t, f.Why)
			require.NotEmpty(t, f.Fix)
			for _, command := range f.Fix {
				out, err := exec.CommandContext(t.Context(), "sh", "-nc", command).CombinedOutput()
				require.NoError(t, err, "%s: %s", command, out)
			}
			if c.live {
				return
			}
			for _, command := range f.Fix {
				b.Sh(t, command)
			}
			require.Empty(t, look(t, b), "after %v", f.Fix)
		})
	}
}

// TestClusterThatDoesNotAnswer says so once.
func TestClusterThatDoesNotAnswer(t *testing.T) {
	c := &Cluster{Pacemaker: &crm.Tools{Dir: t.TempDir()}}
	r := doctor.Run(t.Context(), c.Checks())
	require.Len(t, r.Findings, 1)
	require.Equal(t, doctor.Unknown, r.Findings[0].Severity)
	require.Contains(t, r.Findings[0].What, "could not be read")
	require.Contains(t, r.Findings[0].Fix[0], "setup-balancer", "there is no Pacemaker to start")
}

// TestTheCompatibleLink takes ocf:heartbeat:haproxy for hawser's agent where it is a link to that.
func TestTheCompatibleLink(t *testing.T) {
	b := bench.New(t)
	b.Edit(t, `<primitive id="haproxy" class="ocf" provider="hawser" type="haproxy">`, `<primitive id="haproxy" class="ocf" provider="heartbeat" type="haproxy">`)
	b.File(t, "/usr/lib/ocf/resource.d/hawser/haproxy", "ours")
	require.NoError(t, os.Mkdir(filepath.Join(b.Files, "/usr/lib/ocf/resource.d/heartbeat"), 0o755))
	require.NoError(t, os.Symlink("../hawser/haproxy", filepath.Join(b.Files, "/usr/lib/ocf/resource.d/heartbeat/haproxy")))
	require.Empty(t, look(t, b))
}
