package main

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/corosync"
)

func property(name, value string) crm.Object { return &crm.Property{Name: name, Value: value} }

// sbd without a disk fences without a resource. `fencing: off` must not take it away, and without that key nothing is refused.
func TestWatchdogsAreFencing(t *testing.T) {
	for _, tc := range []struct {
		timeout, fencing string
		warning          string
		said             bool // stonith-enabled is written
	}{
		{"10s", "fencing: off\n", "has the fencing device watchdog: it stays in use", false},
		{"10s", "", "", false},
		{"10s", "fencing: on\n", "", true},
		{"-1", "fencing: off\n", "has the fencing device watchdog", false},
		{"0", "", "stonith-watchdog-timeout is not set", false},
		{"0s", "fencing: off\n", "without fencing nobody", true},
	} {
		fake := crmtest.New("lb-1", "lb-2")
		require.NoError(t, fake.Edit(property("have-watchdog", "true"), property("stonith-watchdog-timeout", tc.timeout)))
		cfg, err := config.Parse("f.yaml", []byte(tc.fencing+"haproxy: {}\n"))
		require.NoError(t, err)
		cib, err := fake.Query(t.Context())
		require.NoError(t, err)
		plan, err := diffWithFile(cfg, cib)
		require.NoError(t, err)
		warning, err := checkFencing(cfg, plan, quorum{})
		require.NoError(t, err, "%+v", tc)
		require.Contains(t, warning, tc.warning, "%+v", tc)
		_, said := plan.New.Property("stonith-enabled")
		require.Equal(t, tc.said, said, "%+v", tc)
	}
}

func TestStatusWithoutAFencingDevice(t *testing.T) {
	text, code := statusOf(t, "lb-9", func(s *crm.Status) { s.Fencing = true })
	require.Equal(t, exitDegraded, code)
	require.Regexp(t, `Fencing +on +but no fencing device is configured: Pacemaker starts nothing`, text)
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

// cibOf is a configuration of that many nodes lb-1, lb-2 … with options.
func cibOf(t *testing.T, nodes int, options ...crm.Object) *crm.CIB {
	t.Helper()
	names := []string{"lb-1", "lb-2", "lb-3"}[:nodes]
	fake := crmtest.New(names...)
	if len(options) > 0 {
		require.NoError(t, fake.Edit(options...))
	}
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	return cib
}

func configOfText(t *testing.T, text string) *config.File {
	t.Helper()
	cfg, err := config.Parse("f.yaml", []byte(text))
	require.NoError(t, err)
	return cfg
}

// Two addresses, one of which the cloud keeps at one node at a time.
const bothKinds = "haproxy: {}\nfloating_ips:\n  - {name: Cloud, ip: 203.0.113.10, token_file: /t}\n  - {name: Lan, ip: 10.0.0.10, provider: lan}\n"

func TestRisksAreThoseOfTheFile(t *testing.T) {
	stops := "a node that is cut off stops its resources once it has noticed that it lost quorum"
	for _, tc := range []struct {
		name       string
		nodes      int
		options    []crm.Object
		q          quorum
		cloud, lan string
		protects   string
	}{
		{"three nodes", 3, nil, quorum{known: true}, "but a node that hangs is not restarted", "if its node hangs or is cut off while another takes it: " + stops, "quorum alone: " + stops},
		{"two_node", 2, nil, quorum{corosync.Quorum{TwoNode: true}, true}, "but two_node in corosync.conf lets each", "if they lose sight of each other: two_node in corosync.conf", "nothing: two_node"},
		{"two nodes, unknown", 2, nil, quorum{}, "with two_node in corosync.conf, each", "with two_node in corosync.conf, each", "nothing: with two_node"},
		{"two nodes and a device", 2, nil, quorum{corosync.Quorum{Device: true}, true}, "a node that hangs", stops, "quorum alone"},
		{"ignore", 3, []crm.Object{property("no-quorum-policy", "ignore")}, quorum{known: true}, "no-quorum-policy=ignore", "no-quorum-policy=ignore", "nothing: no-quorum-policy=ignore"},
		{"freeze", 3, []crm.Object{property("no-quorum-policy", "freeze")}, quorum{known: true}, "a node that hangs", "no-quorum-policy=freeze lets", "nothing: no-quorum-policy=freeze"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cib := cibOf(t, tc.nodes, append(tc.options, property("stonith-enabled", "false"))...)
			risks := risks(configOfText(t, bothKinds), cib, tc.q)
			require.Len(t, risks, 2)
			require.Contains(t, risks[0], "203.0.113.10 (Cloud, digitalocean) cannot be held twice: the cloud gives it to one droplet at a time; but ")
			require.Contains(t, risks[0], tc.cloud)
			require.Contains(t, risks[1], "10.0.0.10 (Lan, lan) can be held by two nodes at once if ")
			require.Contains(t, risks[1], tc.lan)
			require.Contains(t, protection(cib, tc.q), tc.protects)
		})
	}
	require.Contains(t, risks(configOfText(t, "haproxy: {}\n"), cibOf(t, 3), quorum{})[0], "the file has no address that could be held twice")
}

// A node that joined after the devices were configured is named by what an operator looks at before it is lost.
func TestANodeThatNoDeviceIsThereFor(t *testing.T) {
	only := func(hosts string) *crm.Primitive {
		return &crm.Primitive{Name: "fence", Class: "stonith", Type: "fence_ipmilan", Params: crm.Attrs{{Name: "pcmk_host_list", Value: hosts}}}
	}
	cfg := configOfText(t, "fencing: on\nhaproxy: {}\n")
	for hosts, want := range map[string]string{"lb-1 lb-2 lb-3": "", "lb-1 lb-2": "no fencing device is there for lb-3 ", "lb-2": "no fencing device is there for lb-1, lb-3 "} {
		plan, err := diffWithFile(cfg, cibOf(t, 3, only(hosts)))
		require.NoError(t, err)
		warning, err := checkFencing(cfg, plan, quorum{known: true})
		require.NoError(t, err)
		if want == "" {
			require.Empty(t, warning)
		}
		require.Contains(t, warning, want)
	}

	cluster := tutorialCluster(t, healthy(), nil)
	cluster.status.Fencing = true
	require.NoError(t, cluster.Edit(property("stonith-enabled", "true"), only("lb-1")))
	cluster.status.Resources = append(cluster.status.Resources,
		crm.ResourceStatus{ID: "fence", Agent: "stonith:fence_ipmilan", Role: "Started", Node: "lb-1", Nodes: []string{"lb-1"}, Active: true, Managed: true})
	sys, out, _ := testSystem(t, cluster)
	sys.node = "lb-9"
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

// Two nodes of a device that somebody else configured may race too.
func TestDevicesOfOthersMayRace(t *testing.T) {
	cfg := configOfText(t, "fencing: on\nhaproxy: {}\n")
	fence := &crm.Primitive{Name: "fence", Class: "stonith", Type: "fence_ipmilan"}
	delayed := &crm.Primitive{Name: "fence", Class: "stonith", Type: "fence_ipmilan", Params: crm.Attrs{{Name: "pcmk_delay_max", Value: "5s"}}}
	for _, tc := range []struct {
		name    string
		nodes   int
		objects []crm.Object
		q       quorum
		races   bool
	}{
		{"two nodes", 2, []crm.Object{fence}, quorum{known: true}, true},
		{"delayed", 2, []crm.Object{delayed}, quorum{known: true}, false},
		{"by priority", 2, []crm.Object{fence, property("priority-fencing-delay", "10s")}, quorum{known: true}, false},
		{"quorum device", 2, []crm.Object{fence}, quorum{corosync.Quorum{Device: true}, true}, false},
		{"three nodes", 3, []crm.Object{fence}, quorum{known: true}, false},
	} {
		plan, err := diffWithFile(cfg, cibOf(t, tc.nodes, tc.objects...))
		require.NoError(t, err)
		warning, err := checkFencing(cfg, plan, tc.q)
		require.NoError(t, err)
		require.Equal(t, tc.races, strings.Contains(warning, "may both be fenced"), "%s: %s", tc.name, warning)
	}
}

// The node that holds the address must win the race, whichever addresses each of the two has.
func TestPriorities(t *testing.T) {
	text := "fencing: {droplet: {token_file: /t}}\n" + bothKinds
	fenced := configOfText(t, text)
	require.Equal(t, []string{"2", "1"}, priorities(fenced, cibOf(t, 2)))
	require.Nil(t, priorities(fenced, cibOf(t, 3)), "the majority is faster")
	require.Nil(t, priorities(configOfText(t, strings.Replace(text, "{token_file", "{delay: 0, token_file", 1)), cibOf(t, 2)))
	require.Nil(t, priorities(configOfText(t, "fencing: off\n"+bothKinds), cibOf(t, 2)))

	plan, err := diffWithFile(fenced, cibOf(t, 2))
	require.NoError(t, err)
	delay, _ := plan.New.Property("priority-fencing-delay")
	require.Equal(t, "15s", delay)
	address, _ := plan.New.Object("Cloud")
	require.Contains(t, address.String(), "priority=2")
	again, err := diffWithFile(fenced, plan.New)
	require.NoError(t, err)
	require.True(t, again.Empty())

	alone, err := diffWithFile(configOfText(t, "fencing: {droplet: {token_file: /t}}\nhaproxy: {}\n"), cibOf(t, 2))
	require.NoError(t, err)
	device, _ := alone.New.Object(fenceID)
	require.Contains(t, device.String(), `pcmk_host_list="lb-1 lb-2" pcmk_delay_max=15s`)
}

func TestDropletsThatAreNoNodes(t *testing.T) {
	cfg := configOfText(t, "fencing:\n  droplet: {token_file: /t, droplets: {lb-1: 1, lb-2: 2, lb-9: 9}, delay: 0}\nhaproxy: {}\n")
	plan, err := diffWithFile(cfg, cibOf(t, 2, property("no-quorum-policy", "ignore")))
	require.NoError(t, err)
	warning, err := checkFencing(cfg, plan, quorum{})
	require.NoError(t, err)
	require.Contains(t, warning, "f.yaml:2: fencing.droplet.droplets names lb-9, which is no node of the cluster (its nodes: lb-1, lb-2)")
	require.Contains(t, warning, "\nno-quorum-policy=ignore: every part of a divided cluster fences the others")
	require.Contains(t, warning, "\ndelay: 0: two nodes that lose sight of each other may both be switched off")
}

// dropletSystem runs `hawser apply` with a fence agent that the test plays, and returns what it was asked.
func dropletSystem(t *testing.T, answer func(crm.Attrs) (fenceAnswer, error)) (asked *[]crm.Attrs, fake *crmtest.Fake, apply func() (int, string)) {
	t.Helper()
	dir := t.TempDir()
	token, file := filepath.Join(dir, "token"), filepath.Join(dir, "hawser.yaml")
	require.NoError(t, os.WriteFile(token, []byte("s3cret\n"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte("fencing:\n  droplet:\n    token_file: "+token+"\n    droplets: {lb-1: 1001, lb-2: 1002}\n    api_url: http://127.0.0.1:1\nhaproxy: {}\n"), 0o600))
	asked, fake = &[]crm.Attrs{}, crmtest.New("lb-1", "lb-2")
	return asked, fake, func() (int, string) {
		sys, _, stderr := testSystem(t, fake)
		sys.fenceAgent = func(_ context.Context, options crm.Attrs) (fenceAnswer, error) {
			*asked = append(*asked, options)
			return answer(options)
		}
		sys.corosyncNodes = func(context.Context) ([]corosync.Member, error) {
			return []corosync.Member{{Name: "lb-1", Addresses: []string{"10.0.0.11"}}, {Name: "lb-2", Addresses: []string{"10.9.0.12", "10.0.0.12"}}}, nil
		}
		sys.findDroplet = func(_ context.Context, o fencedroplet.Options, plug string) (fencedroplet.Machine, error) {
			require.Equal(t, fencedroplet.Options{TokenFile: token, API: "http://127.0.0.1:1"}, o)
			id, err := strconv.Atoi(plug)
			require.NoError(t, err)
			return fencedroplet.Machine{ID: id, Name: "web", Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(id - 990)})}}, nil
		}
		return run([]string{"hawser", "apply", "--yes", "-f", file}, sys), stderr.String()
	}
}

func TestApplyTriesTheDevice(t *testing.T) {
	asked, fake, apply := dropletSystem(t, func(o crm.Attrs) (fenceAnswer, error) {
		if port, _ := o.Get("plug"); port == "1002" {
			return fenceAnswer{code: fenceStatusOff, said: "Status: OFF"}, nil // a node that is off can be fenced
		}
		return fenceAnswer{}, nil
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
		answer func(crm.Attrs) (fenceAnswer, error)
		want   string
	}{
		{"token", func(crm.Attrs) (fenceAnswer, error) { return fenceAnswer{1, "401 Unable to authenticate you"}, nil },
			"hawser.yaml:3: fencing would not work: `/usr/sbin/fence_droplet` was asked whether it can reach the cloud (action monitor) and failed with exit code 1: 401 Unable to authenticate you; nothing was changed"},
		{"droplet", func(o crm.Attrs) (fenceAnswer, error) {
			if port, _ := o.Get("plug"); port == "1002" {
				return fenceAnswer{1, "there is no droplet 1002"}, nil
			}
			return fenceAnswer{}, nil
		}, "hawser.yaml:4: fencing would not work: `/usr/sbin/fence_droplet` was asked whether it finds the droplet of the node lb-2 (action status) and failed with exit code 1: there is no droplet 1002"},
		{"crash", func(o crm.Attrs) (fenceAnswer, error) {
			if action, _ := o.Get("action"); action == "status" {
				return fenceAnswer{2, "fatal error: runtime: out of memory"}, nil
			}
			return fenceAnswer{}, nil
		}, "(action status) and failed with exit code 2: fatal error: runtime: out of memory"},
		{"absent", func(crm.Attrs) (fenceAnswer, error) { return fenceAnswer{}, errors.New("it is not there") },
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

// The trial has Pacemaker's way to the cloud: a proxy that its daemons were given, and not that of the terminal.
func TestTheTrialHasPacemakersProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://terminal:3128")
	proc := t.TempDir()
	require.Equal(t, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, fenceEnvironment(proc))
	require.NoError(t, os.Mkdir(filepath.Join(proc, "77"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "77/comm"), []byte("pacemakerd\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "77/environ"), []byte("PCMK_debug=no\x00https_proxy=http://proxy:3128\x00NO_PROXY=10.0.0.0/8\x00"), 0o600))
	require.Equal(t, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "https_proxy=http://proxy:3128", "NO_PROXY=10.0.0.0/8"}, fenceEnvironment(proc))
}

func TestDestroyLeavesTheDeviceUntilAllIsStopped(t *testing.T) {
	_, fake, apply := dropletSystem(t, func(crm.Attrs) (fenceAnswer, error) { return fenceAnswer{}, nil })
	code, stderr := apply()
	require.Equal(t, exitOK, code, stderr)
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	stop, err := stopping(cib, cib.Tagged(tagID))
	require.NoError(t, err)
	device, _ := stop.New.Object(fenceID)
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
	device := crm.ResourceStatus{ID: fenceID, Agent: fenceAgent, Role: "Started", Node: "lb-2", Nodes: []string{"lb-2"}, Active: true, Managed: true}
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
		{"stopped", func(r *crm.ResourceStatus) { r.Active, r.Node, r.Nodes, r.Target = false, "", nil, "Stopped" }, nil, false, exitDegraded, `Fencing +fence-droplet stopped on purpose +its target role is Stopped: it fences nobody\n`},
		{"watchdogs", nil, []crm.Object{property("have-watchdog", "true"), property("stonith-watchdog-timeout", "10s")}, false, exitOK, `Fencing +SBD +the nodes' watchdogs; a lost node counts as down after 10s\n`},
		{"watchdogs without time", nil, []crm.Object{property("have-watchdog", "true")}, false, exitDegraded, `Fencing +on +but nothing can fence`},
		{"off", func(*crm.ResourceStatus) {}, nil, true, exitDegraded, `Fencing +off +nobody makes sure`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status := healthy()
			status.Fencing = !tc.off
			cluster := tutorialCluster(t, status, nil)
			if tc.device != nil {
				d := device
				tc.device(&d)
				status.Resources = append(status.Resources, d)
				require.NoError(t, cluster.Edit(&crm.Primitive{Name: fenceID, Class: "stonith", Type: "fence_droplet", Params: crm.Attrs{{Name: "token_file", Value: "/etc/hawser/t"}}}))
			}
			if len(tc.options) > 0 {
				require.NoError(t, cluster.Edit(tc.options...))
			}
			sys, stdout, _ := testSystem(t, cluster)
			sys.node = "lb-9"
			require.Equal(t, tc.code, runStatus(t, sys), stdout)
			require.Regexp(t, tc.want, stdout.String())
			require.NotContains(t, stdout.String(), "Other resources")
		})
	}
}

func TestCrashesThatTheAgentKeeps(t *testing.T) {
	for _, p := range haproxy.New("test").Params {
		if p.Name == "max_crashes" {
			require.NoError(t, p.Value.Set(strconv.Itoa(config.CrashesKept)))
			require.Error(t, p.Value.Set(strconv.Itoa(config.CrashesKept+1)))
			return
		}
	}
	t.Fatal("the agent has no parameter max_crashes")
}
