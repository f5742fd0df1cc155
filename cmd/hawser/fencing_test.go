package main

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/corosync"
)

func property(name, value string) crm.Object { return &crm.Property{Name: name, Value: value} }

func TestStatusWithoutAFencingDevice(t *testing.T) {
	text, code := statusOf(t, "lb-9", func(s *crm.Status) { s.Fencing = true })
	require.Equal(t, exitDegraded, code)
	require.Regexp(t, `Fencing +on +but no fencing device is configured: Pacemaker will not start any resource`, unwrapped(text))
}

// What others built on `fencing: off` is not left without a word.
func TestDestroyWarnsOfFencingThatComesBack(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	sys, _, stderr := testSystem(t, fake)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys), stderr)
	require.NoError(t, fake.Edit(dummy("web")))
	stderr.Reset()
	require.Equal(t, exitOK, run([]string{"hawser", "destroy", "--yes"}, sys), stderr)
	require.Contains(t, stderr.String(), "hawser: warning: fencing is on again after this and no fencing device is configured")
}

// A node that joined after the devices were configured is reported by what an operator reads before
// the node fails.
func TestANodeThatNoDeviceIsThereFor(t *testing.T) {
	only := func(hosts string) *crm.Primitive {
		return &crm.Primitive{Name: "fence", Class: "stonith", Type: "fence_ipmilan", Params: crm.Attrs{{Name: "pcmk_host_list", Value: hosts}}}
	}
	cluster := tutorialCluster(t, healthy(), nil)
	cluster.status.Fencing = true
	require.NoError(t, cluster.Edit(property("stonith-enabled", "true"), only("lb-1")))
	cluster.status.Resources = append(cluster.status.Resources,
		crm.ResourceStatus{ID: "fence", Agent: "stonith:fence_ipmilan", Role: "Started", Node: "lb-1", Nodes: []string{"lb-1"}, Active: true, Managed: true})
	sys, out, _ := testSystem(t, cluster)
	sys.Node = "lb-9"
	require.Equal(t, exitDegraded, runStatus(t, sys))
	require.Regexp(t, `(?m)^ +Fencing +fence on lb-1\n +not of lb-2 +no device names it: `, out.String())
	out.Reset()
	require.Equal(t, exitDegraded, runStatus(t, sys, "--json"))
	require.Contains(t, out.String(), `"not_fenced": [
      "lb-2"
    ]`)
	require.NoError(t, cluster.Edit(property("stonith-watchdog-timeout", "10s"), property("have-watchdog", "true")))
	out.Reset()
	require.Equal(t, exitOK, runStatus(t, sys), "%s", out)
	require.NotContains(t, out.String(), "not of", "the watchdogs are there for every node")
}

// dropletSystem runs `hawser apply` with a fence agent that the test plays, and returns what it was asked.
func dropletSystem(t *testing.T, answer func(crm.Attrs) (fencing.Answer, error)) (asked *[]crm.Attrs, fake *crmtest.Fake, apply func() (int, string)) {
	t.Helper()
	dir := t.TempDir()
	token, file := filepath.Join(dir, "token"), filepath.Join(dir, "hawser.yaml")
	require.NoError(t, os.WriteFile(token, []byte("s3cret\n"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte("fencing:\n  droplet:\n    token_file: "+token+"\n    droplets: {lb-1: 1001, lb-2: 1002}\n    api_url: http://127.0.0.1:1\nhaproxy: {}\n"), 0o600))
	asked, fake = &[]crm.Attrs{}, crmtest.New("lb-1", "lb-2")
	return asked, fake, func() (int, string) {
		sys, _, stderr := testSystem(t, fake)
		sys.FenceAgent = func(_ context.Context, options crm.Attrs) (fencing.Answer, error) {
			*asked = append(*asked, options)
			return answer(options)
		}
		sys.Members = func(context.Context) ([]corosync.Member, error) {
			return []corosync.Member{{Name: "lb-1", Addresses: []string{"10.0.0.11"}}, {Name: "lb-2", Addresses: []string{"10.9.0.12", "10.0.0.12"}}}, nil
		}
		sys.FindDroplet = func(_ context.Context, d *config.DropletFencing, plug string) (fencing.Droplet, error) {
			require.Equal(t, token, d.TokenFile)
			require.Equal(t, "http://127.0.0.1:1", d.APIURL)
			id, err := strconv.Atoi(plug)
			require.NoError(t, err)
			return fencing.Droplet{ID: id, Name: "web", Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(id - 990)})}}, nil
		}
		return run([]string{"hawser", "apply", "--yes", "-f", file}, sys), stderr.String()
	}
}

func TestApplyTriesTheDevice(t *testing.T) {
	asked, fake, apply := dropletSystem(t, func(o crm.Attrs) (fencing.Answer, error) {
		if port, _ := o.Get("plug"); port == "1002" {
			return fencing.Answer{Code: 2, Said: "Status: OFF"}, nil // a node that is off can be fenced
		}
		return fencing.Answer{}, nil
	})
	code, stderr := apply()
	require.Equal(t, exitOK, code, stderr)
	require.Len(t, *asked, 3)
	for i, want := range []map[string]string{{"action": "monitor"}, {"action": "status", "nodename": "lb-1", "plug": "1001"}, {"action": "status", "nodename": "lb-2", "plug": "1002"}} {
		want["api_url"] = "http://127.0.0.1:1"
		for name, value := range want {
			got, _ := (*asked)[i].Get(name)
			require.Equal(t, value, got, "%d %s", i, name)
		}
		file, _ := (*asked)[i].Get("token_file")
		require.NotEmpty(t, file)
	}
	require.Equal(t, 1, fake.Applied())
	code, stderr = apply()
	require.Equal(t, exitOK, code, stderr)
	require.Len(t, *asked, 3, "a device that stays as it is is not tried again")
}

func TestApplyRefusesADeviceThatWouldNotFence(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func(crm.Attrs) (fencing.Answer, error)
		want   string
	}{
		{"token", func(crm.Attrs) (fencing.Answer, error) {
			return fencing.Answer{Code: 1, Said: "401 Unable to authenticate you"}, nil
		},
			"hawser.yaml:3: fencing would not work: `/usr/sbin/fence_droplet` was asked whether it can reach the cloud (action monitor) and failed with exit code 1: 401 Unable to authenticate you; nothing was changed"},
		{"droplet", func(o crm.Attrs) (fencing.Answer, error) {
			if port, _ := o.Get("plug"); port == "1002" {
				return fencing.Answer{Code: 1, Said: "there is no droplet 1002"}, nil
			}
			return fencing.Answer{}, nil
		}, "hawser.yaml:4: fencing would not work: `/usr/sbin/fence_droplet` was asked whether it finds the droplet of the node lb-2 (action status) and failed with exit code 1: there is no droplet 1002"},
		{"crash", func(o crm.Attrs) (fencing.Answer, error) {
			if action, _ := o.Get("action"); action == "status" {
				return fencing.Answer{Code: 2, Said: "fatal error: runtime: out of memory"}, nil
			}
			return fencing.Answer{}, nil
		}, "(action status) and failed with exit code 2: fatal error: runtime: out of memory"},
		{"absent", func(crm.Attrs) (fencing.Answer, error) { return fencing.Answer{}, errors.New("it is not there") },
			"trying whether /usr/sbin/fence_droplet can reach the cloud: it is not there; nothing was changed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, fake, apply := dropletSystem(t, tc.answer)
			code, stderr := apply()
			require.Equal(t, exitUsage, code)
			require.Contains(t, stderr, tc.want)
			require.Zero(t, fake.Applied())
		})
	}
}

func TestDestroyLeavesTheDeviceUntilAllIsStopped(t *testing.T) {
	_, fake, apply := dropletSystem(t, func(crm.Attrs) (fencing.Answer, error) { return fencing.Answer{}, nil })
	code, stderr := apply()
	require.Equal(t, exitOK, code, stderr)
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	stop, err := change.Stopping(cib, cib.Tagged(contract.TagID))
	require.NoError(t, err)
	device, _ := stop.New.Object(contract.FenceID)
	require.NotContains(t, device.String(), "target-role")
	sys, _, errText := testSystem(t, fake)
	require.Equal(t, exitOK, run([]string{"hawser", "destroy", "--yes"}, sys), errText)
	cib, err = fake.Query(t.Context())
	require.NoError(t, err)
	require.Empty(t, cib.FencingDevices())
	_, set := cib.Property("stonith-enabled")
	require.False(t, set)
}

func TestStatusSaysWhatFences(t *testing.T) {
	device := crm.ResourceStatus{ID: contract.FenceID, Agent: contract.FenceDropletAgent, Role: "Started", Node: "lb-2", Nodes: []string{"lb-2"}, Active: true, Managed: true}
	for _, tc := range []struct {
		name    string
		device  func(*crm.ResourceStatus)
		options []crm.Object
		off     bool
		code    int
		want    string
	}{
		{"a device", func(*crm.ResourceStatus) {}, nil, false, exitOK, `Fencing +fence-droplet on lb-2\n`},
		{"its monitor failed", func(r *crm.ResourceStatus) { r.Failed, r.Reason = true, "401 Unable to authenticate you" }, nil, false, exitDegraded, `Fencing +fence-droplet failed on lb-2 +401 Unable to authenticate you\n`},
		{"nowhere", func(r *crm.ResourceStatus) { r.Active, r.Node, r.Nodes = false, "", nil }, nil, false, exitDegraded, "Fencing +fence-droplet stopped +`fence_droplet --token-file=/etc/hawser/t -o monitor` says why\n"},
		{"stopped", func(r *crm.ResourceStatus) { r.Active, r.Node, r.Nodes, r.Target = false, "", nil, "Stopped" }, nil, false, exitDegraded, `Fencing +fence-droplet stopped on purpose +its target role is Stopped: it fences no node\n`},
		{"watchdogs", nil, []crm.Object{property("have-watchdog", "true"), property("stonith-watchdog-timeout", "10s")}, false, exitOK, `Fencing +SBD +the nodes' watchdogs; an unreachable node counts as down after 10s\n`},
		{"watchdogs without time", nil, []crm.Object{property("have-watchdog", "true")}, false, exitDegraded, `Fencing +on +but no usable fence device`},
		{"off", func(*crm.ResourceStatus) {}, nil, true, exitDegraded, `Fencing +off +nothing guarantees`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status := healthy()
			status.Fencing = !tc.off
			cluster := tutorialCluster(t, status, nil)
			if tc.device != nil {
				d := device
				tc.device(&d)
				status.Resources = append(status.Resources, d)
				require.NoError(t, cluster.Edit(&crm.Primitive{Name: contract.FenceID, Class: "stonith", Type: "fence_droplet", Params: crm.Attrs{{Name: "token_file", Value: "/etc/hawser/t"}}}))
			}
			if len(tc.options) > 0 {
				require.NoError(t, cluster.Edit(tc.options...))
			}
			sys, stdout, _ := testSystem(t, cluster)
			sys.Node = "lb-9"
			require.Equal(t, tc.code, runStatus(t, sys), stdout)
			require.Regexp(t, tc.want, unwrapped(stdout.String()))
			require.NotContains(t, stdout.String(), "Other resources")
		})
	}
}

func TestCrashesThatTheAgentKeeps(t *testing.T) {
	for _, p := range haproxy.New("test").Params {
		if p.Name == "max_crashes" {
			require.NoError(t, p.Value.Set(strconv.Itoa(contract.CrashesKept)))
			require.Error(t, p.Value.Set(strconv.Itoa(contract.CrashesKept+1)))
			return
		}
	}
	t.Fatal("the agent has no parameter max_crashes")
}
