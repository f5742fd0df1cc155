package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
)

// health is what a node is like: its check holds, or fails, or the node is down.
type health byte

const (
	holds    health = 'o'
	fails    health = 'x'
	down     health = '-'
	returned health = 'n' // its check holds, and not for long
)

// simulated is a cluster that only Pacemaker's scheduler knows, which plays its decisions through.
type simulated struct {
	t     *testing.T
	dir   string
	nodes []string
	cib   []byte
	at    map[string]string // the node of each address, "" for none
	// running is on how many nodes each address is.
	running map[string]int
}

// simulate sets a file up on nodes that are all up, and lets the scheduler place everything.
func simulate(t *testing.T, yaml string, nodes ...string) *simulated {
	t.Helper()
	needs.Command(t, "crm_simulate")
	cfg, err := config.Parse("hawser.yaml", []byte(yaml))
	require.NoError(t, err)
	s := &simulated{t: t, dir: t.TempDir(), nodes: nodes}
	path := filepath.Join(s.dir, "cib.xml")
	require.NoError(t, os.WriteFile(path, crmtest.Seed(nodes...), 0o600))
	tools := &crm.Tools{Env: append(os.Environ(), "CIB_file="+path)}
	cib, err := tools.Query(t.Context())
	require.NoError(t, err)
	p, err := crm.Diff(cib, crm.Spec{Objects: Objects(cfg, cib)})
	require.NoError(t, err)
	require.NoError(t, tools.Apply(t.Context(), p))
	s.cib, err = os.ReadFile(path)
	require.NoError(t, err)
	s.becomes(strings.Repeat(string(holds), len(nodes)))
	return s
}

// becomes gives each node its health, a letter for each, and lets the scheduler do what it wants.
func (s *simulated) becomes(state string) {
	s.t.Helper()
	before := s.xml(s.cib)
	args := []string{"--xml-file", s.dir + "/in.xml", "--save-output", s.dir + "/changed.xml"}
	changes := len(args)
	for i, node := range s.nodes {
		ns := before.FindElement("//node_state[@uname='" + node + "']")
		require.NotNil(s.t, ns)
		for _, old := range ns.SelectElements("transient_attributes") {
			ns.RemoveChild(old)
		}
		up := ns.SelectAttrValue("crmd", "") == "online"
		switch h := health(state[i]); {
		case h == down && up:
			args = append(args, "--node-down", node)
		case h != down:
			if !up {
				args = append(args, "--node-up", node)
			}
			id := ns.SelectAttrValue("id", "")
			set := ns.CreateElement("transient_attributes")
			set.CreateAttr("id", id)
			set = set.CreateElement("instance_attributes")
			set.CreateAttr("id", "status-"+id)
			r := contract.ResourceOf(contract.HAProxyID)
			attributes := map[string]string{
				contract.ServersAttribute(r):      "up=1",
				contract.CheckAttribute(r, "web"): contract.CheckOK,
			}
			switch h {
			case fails:
				attributes[contract.CheckAttribute(r, "web")] = contract.CheckFailed
			case holds:
				attributes[contract.WellAttribute(r, 5*time.Minute)] = contract.WellYes
			}
			for name, value := range attributes {
				pair := set.CreateElement("nvpair")
				pair.CreateAttr("id", "status-"+id+"-"+name)
				pair.CreateAttr("name", name)
				pair.CreateAttr("value", value)
			}
		}
	}
	require.NoError(s.t, before.WriteToFile(s.dir+"/in.xml"))
	_ = os.Remove(s.dir + "/changed.xml")
	_ = os.Remove(s.dir + "/out.xml")
	// In two steps: crm_simulate 3.0.0 that prints XML ends once it has changed a node.
	if len(args) > changes {
		out, err := exec.Command("crm_simulate", args...).CombinedOutput()
		require.NoError(s.t, err, string(out))
	} else {
		require.NoError(s.t, os.Rename(s.dir+"/in.xml", s.dir+"/changed.xml"))
	}
	out, err := exec.Command("crm_simulate", "--simulate", "--output-as=xml", "--xml-file", s.dir+"/changed.xml",
		"--save-output", s.dir+"/out.xml").CombinedOutput()
	require.NoError(s.t, err, string(out))
	said := s.xml(out).FindElement("//revised_cluster_status")
	require.NotNil(s.t, said, string(out))
	s.running = map[string]int{}
	s.at = map[string]string{}
	for _, r := range said.FindElements(".//resource") {
		for _, n := range r.SelectElements("node") {
			if id := r.SelectAttrValue("id", ""); id == contract.HAProxyID {
				s.at["haproxy on "+n.SelectAttrValue("name", "")] = "runs"
			} else {
				s.running[id]++
				s.at[id] = n.SelectAttrValue("name", "")
			}
		}
	}
	s.cib, err = os.ReadFile(s.dir + "/out.xml")
	require.NoError(s.t, err)
}

func (s *simulated) xml(text []byte) *etree.Document {
	s.t.Helper()
	d := etree.NewDocument()
	require.NoError(s.t, d.ReadFromBytes(text))
	return d
}

// states are all healths that n nodes can have; with more than one of each kind of health.
func states(n int, more ...health) []string {
	if n == 0 {
		return []string{""}
	}
	var all []string
	for _, before := range states(n-1, more...) {
		for _, h := range append([]health{holds, fails, down}, more...) {
			all = append(all, before+string(h))
		}
	}
	return all
}

// oneApart reports whether two states differ in one node.
func oneApart(a, b string) bool {
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n == 1
}

// TestScores lets Pacemaker's scheduler decide in every state of three nodes, and after each change of one of them: an address is there as
// long as a node is, it is where its check holds if it holds anywhere, it moves for no other reason, and to a node of its own if there is one.
func TestScores(t *testing.T) {
	addresses := []string{"A", "B"}
	start := simulate(t, `fencing: off
haproxy: {checks: [{name: web, url: "http://127.0.0.1/"}]}
floating_ips:
  - {name: A, ip: 192.0.2.10, provider: lan}
  - {name: B, ip: 192.0.2.11, provider: lan}
`, "lb-1", "lb-2", "lb-3")
	require.NotEqual(t, start.at["A"], start.at["B"])
	for _, first := range states(3) {
		before := *start
		before.becomes(first)
		for _, then := range states(3) {
			if !oneApart(first, then) {
				continue
			}
			after := before
			after.becomes(then)
			what := fmt.Sprintf("%s with %v, then %s: %v", first, before.at, then, after.at)
			var up, well []string
			for i, node := range after.nodes {
				if health(then[i]) != down {
					up = append(up, node)
					require.Equal(t, "runs", after.at["haproxy on "+node], what)
				}
				if health(then[i]) == holds {
					well = append(well, node)
				}
			}
			good := well
			if len(well) == 0 {
				good = up
			}
			for _, a := range addresses {
				was, is := before.at[a], after.at[a]
				switch {
				case len(up) == 0:
					require.Empty(t, is, what)
					continue
				case len(well) == 0 && slices.Contains(up, was):
					require.Equal(t, was, is, "%s: it fails everywhere, and %s moved", what, a)
				case slices.Contains(well, was):
					require.Equal(t, was, is, "%s: %s was well and moved", what, a)
				}
				require.Contains(t, good, is, "%s: %s", what, a)
				if was != is {
					other := after.at[addresses[1-slices.Index(addresses, a)]]
					require.True(t, is != other || len(good) == 1, "%s: %s shares a node", what, a)
				}
			}
		}
	}
}

// Sixteen addresses on five nodes, and what is not needed moves nothing.
func TestScoresOfMany(t *testing.T) {
	yaml := "fencing: off\nhaproxy:\n  checks: [{name: web, url: 'http://127.0.0.1/'}, {name: db, tcp: '127.0.0.1:1'}]\nfloating_ips:\n"
	for i := range 16 {
		needs := "[web]"
		if i == 15 {
			needs = "[db]"
		}
		yaml += fmt.Sprintf("  - {name: A%d, ip: 192.0.2.%d, provider: lan, needs: %s}\n", i, i+1, needs)
	}
	s := simulate(t, yaml, "lb-1", "lb-2", "lb-3", "lb-4", "lb-5")
	count := func() map[string]int {
		n := map[string]int{}
		for i := range 16 {
			n[s.at[fmt.Sprintf("A%d", i)]]++
		}
		return n
	}
	for node, n := range count() {
		require.Contains(t, []int{3, 4}, n, node)
	}
	before := s.at
	s.becomes("ooxoo")
	for i := range 16 {
		name := fmt.Sprintf("A%d", i)
		if before[name] != "lb-3" || i == 15 {
			require.Equal(t, before[name], s.at[name], name)
		} else {
			require.NotEqual(t, "lb-3", s.at[name], name)
		}
	}
	require.NotContains(t, count(), "")
	before = s.at
	s.becomes("xxxxx")
	require.Equal(t, before, s.at)
	s.becomes("xxxxo")
	for i := range 15 {
		require.Equal(t, "lb-5", s.at[fmt.Sprintf("A%d", i)])
	}
}
