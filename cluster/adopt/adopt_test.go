package adopt_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/adopt"
	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// cluster is one with what somebody has written in crmsh's language.
func cluster(t *testing.T, statements string) *crmtest.Fake {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2")
	script, err := crm.ParseShell("test", []byte("property stonith-enabled=false\n"+statements))
	require.NoError(t, err)
	require.NoError(t, c.Edit(script.Objects...))
	return c
}

func read(t *testing.T, statements string) (adopt.Found, error) {
	t.Helper()
	cib, err := cluster(t, statements).Query(t.Context())
	require.NoError(t, err)
	return adopt.Read(cib, "hawser.yaml", "/etc/hawser/token")
}

// own is a set-up of hawser's own agents; %s is for more of it.
const own = `primitive haproxy ocf:hawser:haproxy params conffile=/etc/haproxy/x.cfg generation=7
clone haproxy-clone haproxy
primitive FloatIP ocf:hawser:floatip params ip=192.0.2.10 provider=lan
colocation with inf: FloatIP haproxy-clone
`

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name, statements, yaml string
		taken                  []string
		exchanged, remarks     []string // parts of each
	}{
		{
			name: "hawser's own agents", statements: own,
			yaml: `fencing: off
haproxy:
  config: /etc/haproxy/x.cfg
floating_ips:
  - name: FloatIP
    ip: 192.0.2.10
    provider: lan
`,
			taken: []string{"FloatIP", "haproxy", "haproxy-clone", "with"},
		},
		{
			name: "what is beside it stays", statements: own + `primitive db ocf:heartbeat:IPaddr2 params ip=192.0.2.77
primitive web ocf:pacemaker:Dummy
order web-first web FloatIP
colocation apart -100: FloatIP web
location there FloatIP 20000: lb-1
location back FloatIP 100: lb-2
order with-set ( web haproxy-clone )
`,
			yaml: `fencing: off
haproxy:
  config: /etc/haproxy/x.cfg
floating_ips:
  - name: FloatIP
    ip: 192.0.2.10
    provider: lan
    failback: true
    prefer: [lb-1, lb-2]
`,
			taken:   []string{"FloatIP", "haproxy", "haproxy-clone", "with", "there", "back"},
			remarks: []string{"db (ocf:heartbeat:IPaddr2) is left alone"},
		},
		{
			name: "locations that hawser.yaml cannot say", statements: own + `location never FloatIP -inf: lb-2
location cli-prefer-FloatIP FloatIP inf: lb-1
location by-rule FloatIP rule 100: somewhere eq here
location elsewhere FloatIP 100: lb-7
location elsewhere-by-rule FloatIP rule 90: #uname eq lb-8
location two FloatIP rule 80: #uname eq lb-1 or #uname eq lb-2
`,
			yaml: `fencing: off
haproxy:
  config: /etc/haproxy/x.cfg
floating_ips:
  - name: FloatIP
    ip: 192.0.2.10
    provider: lan
`,
			taken: []string{"FloatIP", "haproxy", "haproxy-clone", "with"},
			remarks: []string{"the location by-rule stays as it is: it says more of FloatIP than one node and a score",
				"the location cli-prefer-FloatIP stays: `crm_resource` left it behind",
				"the location elsewhere stays, and its score of 100 no longer brings FloatIP back to lb-7",
				"the location elsewhere-by-rule stays, and its score of 90 no longer brings FloatIP back to lb-8",
				"the location never stays, and goes on keeping FloatIP off lb-2",
				"the location two stays as it is: it says more of FloatIP than one node and a score"},
		},
		{
			name: "preferences that Pacemaker did not go back to", statements: own + `rsc_defaults resource-stickiness=100
location a FloatIP 100: lb-1
location b FloatIP rule 50: #uname eq lb-2
`,
			yaml: `fencing: off
haproxy:
  config: /etc/haproxy/x.cfg
floating_ips:
  - name: FloatIP
    ip: 192.0.2.10
    provider: lan
    prefer: [lb-1, lb-2]
`,
			taken: []string{"FloatIP", "haproxy", "haproxy-clone", "with", "a", "b"},
		},
		{
			name: "a group that is kept stopped", statements: own + "primitive V6 ocf:hawser:floatip params ip=2001:db8::1 provider=lan\n" +
				"group g FloatIP V6 meta target-role=Stopped\nlocation l g 50: lb-1\n",
			yaml: `fencing: off
haproxy:
  config: /etc/haproxy/x.cfg
floating_ips:
  - name: FloatIP
    ip: 192.0.2.10
    provider: lan
  - name: V6
    ip: "2001:db8::1"
    provider: lan
groups:
  - name: FloatIP-together
    addresses: [FloatIP, V6]
`,
			taken:   []string{"FloatIP", "V6", "haproxy", "haproxy-clone", "with"},
			remarks: []string{"the group g stays, since it is kept stopped"},
		},
		{
			name: "a node whose name hawser.yaml does not take", statements: own + "node _lb\nlocation l FloatIP 50: _lb\n",
			yaml: `fencing: off
haproxy:
  config: /etc/haproxy/x.cfg
floating_ips:
  - name: FloatIP
    ip: 192.0.2.10
    provider: lan
`,
			taken: []string{"FloatIP", "haproxy", "haproxy-clone", "with"},
			remarks: []string{"the location l stays, and its score of 50 no longer brings FloatIP back to _lb",
				"what the cluster says of where addresses are"},
		},
		{
			name: "nodes alike", statements: own + "location a FloatIP 100: lb-1\nlocation b FloatIP 100: lb-2\n",
			yaml: `fencing: off
haproxy:
  config: /etc/haproxy/x.cfg
floating_ips:
  - name: FloatIP
    ip: 192.0.2.10
    provider: lan
    prefer: {lb-1: 100, lb-2: 100}
`,
			taken: []string{"FloatIP", "haproxy", "haproxy-clone", "with", "a", "b"},
		},
		{
			name: "addresses that are together, and what belongs to them", statements: `primitive haproxy ocf:hawser:haproxy
clone haproxy-clone haproxy
primitive A ocf:hawser:floatip params ip=192.0.2.10 provider=lan meta resource-stickiness=60
primitive A6 ocf:hawser:floatip params ip=2001:db8::10 provider=lan meta resource-stickiness=60
primitive B ocf:hawser:floatip params ip=192.0.2.20 provider=lan
primitive B6 ocf:hawser:floatip params ip=2001:db8::20 provider=lan
primitive dhcpd ocf:pacemaker:Dummy
primitive other ocf:pacemaker:Dummy
group edge A A6
colocation c inf: edge haproxy-clone
colocation b inf: B haproxy-clone
colocation b6 inf: B6 B
colocation d inf: dhcpd edge
order do edge dhcpd
colocation late 100: other B
order first other B
location near edge 100: lb-1
`,
			yaml: `fencing: off
haproxy: {}
floating_ips:
  - name: A
    ip: 192.0.2.10
    provider: lan
    prefer: [lb-1]
  - name: A6
    ip: "2001:db8::10"
    provider: lan
  - name: B
    ip: 192.0.2.20
    provider: lan
  - name: B6
    ip: "2001:db8::20"
    provider: lan
groups:
  - name: edge
    addresses: [A, A6]
  - name: B-together
    addresses: [B, B6]
resources:
  - id: dhcpd
    with: A
    after: A6
`,
			taken: []string{"A", "A6", "B", "B6", "haproxy", "haproxy-clone", "edge", "c", "b", "b6", "d", "do", "near"},
		},
		{
			name: "everything that hawser.yaml can say",
			statements: `primitive haproxy ocf:heartbeat:haproxy params check_url=http://127.0.0.1/ min_servers=2 stop_grace=9s pidfile=/x op monitor interval=60s OCF_CHECK_LEVEL=10 op monitor interval=7s
clone haproxy-clone haproxy
primitive B ocf:digitalocean:floatip params floating_ip=203.0.113.11 do_token=S3cret
primitive A ocf:hawser:floatip params ip=203.0.113.10 token_file=/root/t api_url=http://127.0.0.1:1 op monitor interval=1min
primitive C ocf:hawser:floatip params ip=203.0.113.12 token=lrm://
`,
			yaml: `fencing: off
haproxy:
  monitor: 7s
  check:
    url: http://127.0.0.1/
  min_servers: 2
  stop_grace: 9s
floating_ips:
  - name: A
    ip: 203.0.113.10
    provider: digitalocean
    token_file: /root/t
    monitor: 1min
    api_url: http://127.0.0.1:1
  - name: B
    ip: 203.0.113.11
    provider: digitalocean
    token_file: /etc/hawser/token
  - name: C
    ip: 203.0.113.12
    provider: digitalocean
    token_file: /etc/hawser/token
`,
			taken: []string{"A", "B", "C", "haproxy", "haproxy-clone"},
			exchanged: []string{"haproxy (ocf:heartbeat:haproxy) is stopped and started again as ocf:hawser:haproxy",
				"B (ocf:digitalocean:floatip) is stopped and started again"},
			remarks: []string{"of haproxy, hawser.yaml cannot say pidfile",
				"the token of B is in the cluster's configuration", "the token of C is hidden by cibsecret"},
		},
		{
			name: "one node at a time",
			statements: `primitive vip ocf:heartbeat:IPaddr2 params ip=192.0.2.10 cidr_netmask=255.255.255.0 nic=eth0:1 broadcast=192.0.2.255
primitive haproxy systemd:haproxy
group web vip haproxy
location there web -inf: lb-1
`,
			yaml: "", taken: nil, remarks: nil,
			exchanged: []string{"location there names web"},
		},
		{
			name: "one node at a time, which one node was preferred for",
			statements: `primitive vip ocf:heartbeat:IPaddr2 params ip=192.0.2.10
primitive vip6 ocf:heartbeat:IPaddr2 params ip=2001:db8::10
primitive haproxy ocf:hawser:haproxy
group web vip vip6 haproxy meta resource-stickiness=20
location there web 50: lb-1
`,
			yaml: `fencing: off
haproxy: {}
floating_ips:
  - name: vip
    ip: 192.0.2.10
    provider: lan
    prefer: [lb-1]
  - name: vip6
    ip: "2001:db8::10"
    provider: lan
groups:
  - name: web
    addresses: [vip, vip6]
`,
			taken: []string{"vip", "vip6", "haproxy", "web", "there"},
			exchanged: []string{"vip (ocf:heartbeat:IPaddr2) is stopped and started again",
				"vip6 (ocf:heartbeat:IPaddr2) is stopped and started again"},
			remarks: []string{"haproxy has been running on one node at a time"},
		},
		{
			name: "a HAProxy of another name",
			statements: `primitive vip ocf:heartbeat:IPaddr2 params ip=192.0.2.10
primitive lb systemd:haproxy
clone lbs lb
colocation c inf: vip lbs
order o vip lbs
`,
			yaml: `fencing: off
haproxy: {}
floating_ips:
  - name: vip
    ip: 192.0.2.10
    provider: lan
`,
			taken: []string{"c", "lb", "lbs", "o", "vip"},
			exchanged: []string{"lb (systemd:haproxy) is stopped on every node, and when it has stopped everywhere haproxy",
				"vip (ocf:heartbeat:IPaddr2) is stopped and started again as ocf:hawser:floatip"},
			remarks: []string{"HAProxy is run with /etc/haproxy/haproxy.cfg, and not with the command line of systemd:haproxy",
				"the order o goes"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found, err := read(t, tc.statements)
			if tc.yaml == "" {
				require.ErrorContains(t, err, tc.exchanged[0])
				require.Equal(t, outcome.Usage, outcome.Of(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, "# Written by `hawser adopt` from what the cluster had.\n"+tc.yaml,
				string(found.YAML))
			require.ElementsMatch(t, tc.taken, found.Taken)
			said(t, tc.exchanged, found.Exchanged)
			said(t, tc.remarks, found.Remarks)
		})
	}
}

func said(t *testing.T, want, got []string) {
	t.Helper()
	require.Len(t, got, len(want), "%q", got)
	for i := range want {
		require.Contains(t, got[i], want[i])
		require.NotContains(t, got[i], "S3cret")
	}
}

func TestReadRefused(t *testing.T) {
	for name, tc := range map[string]struct{ statements, says string }{
		"no HAProxy":   {"primitive web ocf:pacemaker:Dummy", "has no HAProxy, so there is nothing to adopt"},
		"two HAProxys": {own + "primitive second systemd:haproxy", "a hawser.yaml has one HAProxy"},
		"hawser's own": {own + "tag hawser haproxy haproxy-clone", "hawser has made haproxy itself"},
		"a cloned address": {own + "primitive vip ocf:heartbeat:IPaddr2 params ip=192.0.2.20 clusterip_hash=sourceip\nclone vips vip\ncolocation v inf: vips haproxy-clone",
			"vip is cloned"},
		"something else in the group": {"primitive haproxy ocf:hawser:haproxy\nprimitive web ocf:pacemaker:Dummy\ngroup g haproxy web",
			"haproxy is in the group g together with web"},
		"an address that is none": {"primitive haproxy ocf:hawser:haproxy\nprimitive vip ocf:heartbeat:IPaddr2 params ip=here\ngroup g vip haproxy",
			`vip: ip="here"`},
		"no address at all": {"primitive haproxy ocf:hawser:haproxy\nprimitive vip ocf:hawser:floatip", "vip (ocf:hawser:floatip) has no address"},
		"a loopback address": {"primitive haproxy ocf:hawser:haproxy\nprimitive vip ocf:heartbeat:IPaddr2 params ip=127.0.0.1\ngroup g vip haproxy",
			"what the cluster has cannot be said in a hawser.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, tc.statements)
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, outcome.Usage, outcome.Of(err))
		})
	}
}

func adopter(c crm.Cluster) *adopt.Adopter {
	return &adopt.Adopter{Deployer: &deploy.Deployer{Cluster: c, Running: true, Node: preflight.Node{
		HAProxy: func(context.Context, preflight.HAProxy) error { return nil },
	}}}
}

func ignore(string) {}

// written is the plan that adopts the cluster's set-up into a file of its own.
func planned(t *testing.T, a *adopt.Adopter) (adopt.Plan, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new", "hawser.yaml")
	found, err := a.Read(t.Context(), path, "/etc/hawser/token")
	require.NoError(t, err)
	p, err := a.Plan(t.Context(), found)
	require.NoError(t, err)
	return p, path
}

func TestAdopt(t *testing.T) {
	c := cluster(t, own)
	a := adopter(c)
	p, path := planned(t, a)
	require.Empty(t, p.Headline())
	require.Empty(t, p.Changes.Forecast.Actions)
	require.NoError(t, a.Adopt(t.Context(), p, false, time.Minute, ignore))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(p.YAML), string(text))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode())
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	require.Subset(t, cib.Tagged("hawser"), []string{"haproxy", "haproxy-clone", "FloatIP"})
	again, err := a.Deployer.Plan(t.Context(), p.File, true)
	require.NoError(t, err)
	require.True(t, again.Changes.Empty())
	_, err = a.Read(t.Context(), path, "")
	require.ErrorContains(t, err, "hawser has made haproxy itself")
}

// A HAProxy of another name has stopped everywhere before hawser's starts.
func TestAdoptStopsFirst(t *testing.T) {
	c := cluster(t, "primitive lb ocf:hawser:haproxy\nclone lbs lb\nprimitive FloatIP ocf:hawser:floatip params ip=192.0.2.10 provider=lan\ncolocation c inf: FloatIP lbs")
	a := adopter(c)
	p, _ := planned(t, a)
	require.Equal(t, "THIS INTERRUPTS SERVICE: HAProxy stops on every node, and starts again when it has stopped everywhere.", p.Headline())
	waited := 0
	c.OnWait(func(ctx context.Context) {
		waited++
		cib, err := c.Query(ctx)
		require.NoError(t, err)
		o, there := cib.Object("lbs")
		require.True(t, there)
		require.Contains(t, o.String(), "target-role=Stopped")
		_, there = cib.Object("haproxy")
		require.False(t, there)
	})
	require.NoError(t, a.Adopt(t.Context(), p, false, time.Minute, ignore))
	require.Equal(t, 1, waited)
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	require.NotContains(t, crm.FormatShell(cib.Objects()), "lb ")
	require.NotContains(t, crm.FormatShell(cib.Objects()), "target-role")

	// It does not stop: nothing is exchanged, and the file is gone again.
	c = cluster(t, "primitive lb ocf:hawser:haproxy\nclone lbs lb")
	a = adopter(c)
	p, path := planned(t, a)
	c.Fail("Wait", errors.New("no answer"))
	err = a.Adopt(t.Context(), p, false, time.Minute, ignore)
	require.ErrorContains(t, err, "no answer")
	require.ErrorContains(t, err, "THEY ARE BEING STOPPED AND STAY STOPPED: lbs")
	require.NoFileExists(t, path)

	// Somebody edits what is exchanged while it stops: nothing is exchanged either.
	c = cluster(t, "primitive lb ocf:hawser:haproxy\nclone lbs lb")
	a = adopter(c)
	p, path = planned(t, a)
	c.OnWait(func(context.Context) {
		require.NoError(t, c.Edit(&crm.Primitive{Name: "lb", Class: "ocf", Provider: "hawser", Type: "haproxy",
			Params: crm.Attrs{{Name: "conffile", Value: "/etc/haproxy/other.cfg"}}}))
	})
	err = a.Adopt(t.Context(), p, false, time.Minute, ignore)
	require.Equal(t, outcome.Conflict, outcome.Of(err), "%v", err)
	require.ErrorContains(t, err, "lbs HAS BEEN ORDERED TO STOP, and stays stopped")
	require.NoFileExists(t, path)
}

// What keeps the plan from being written leaves hawser.yaml as it was.
func TestAdoptFails(t *testing.T) {
	c := cluster(t, own)
	a := adopter(c)
	p, path := planned(t, a)
	c.OnApply(func() {
		require.FileExists(t, path)
		script, err := crm.ParseWords(strings.Fields("primitive FloatIP ocf:hawser:floatip params ip=192.0.2.99 provider=lan"))
		require.NoError(t, err)
		require.NoError(t, c.Edit(script.Objects...))
	})
	err := a.Adopt(t.Context(), p, false, time.Minute, ignore)
	require.Equal(t, outcome.Conflict, outcome.Of(err), "%v", err)
	require.NoFileExists(t, path)
	c.OnApply(nil)

	// A file that is there is not overwritten unasked, and comes back.
	p, path = planned(t, a)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
	err = a.Adopt(t.Context(), p, false, time.Minute, ignore)
	require.ErrorContains(t, err, path+" cannot be written: file exists; nothing was changed")
	require.Error(t, adopt.CheckFree(path, true))
	require.NoError(t, adopt.CheckFree(path+".other", true))
	c.Fail("Apply", crm.ErrNoQuorum)
	require.ErrorIs(t, a.Adopt(t.Context(), p, true, time.Minute, ignore), crm.ErrNoQuorum)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	c.Fail("Apply", crm.ErrUnwritten) // whoever gave up did so before
	require.ErrorIs(t, a.Adopt(t.Context(), p, true, time.Minute, ignore), crm.ErrUnwritten)
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))

	// Whether it was written is not known: the file stays.
	c.LoseAnswer(errors.New("the connection broke"))
	err = a.Adopt(t.Context(), p, true, time.Minute, ignore)
	require.ErrorContains(t, err, path+" is written; `hawser plan` shows whether the cluster has it")
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(p.YAML), string(text))
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is left beside it")
}
