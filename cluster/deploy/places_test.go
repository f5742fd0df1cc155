package deploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wanted says where an address is to be: steps are its nodes, best first.
type wanted struct {
	steps    [][]string
	goesBack bool
	after    bool // only to nodes that have been well for long
}

// step is how good a node is, 0 the best.
func (w wanted) step(node string) int {
	for i, nodes := range w.steps {
		if slices.Contains(nodes, node) {
			return i
		}
	}
	return len(w.steps)
}

// best are those of the nodes that are as good as any.
func (w wanted) best(nodes []string) []string {
	least := len(w.steps)
	for _, n := range nodes {
		least = min(least, w.step(n))
	}
	return slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return w.step(n) > least })
}

// judge holds what became of an address against what it wants. was and is are its nodes before and
// after the cluster's nodes became like state.
func (w wanted) judge(t *testing.T, nodes []string, state, was, is, what string) {
	t.Helper()
	var up, well, long []string
	for i, node := range nodes {
		h := health(state[i])
		if h != down {
			up = append(up, node)
		}
		if h == holds || h == returned {
			well = append(well, node)
		}
		if h == holds {
			long = append(long, node)
		}
	}
	good := well
	if len(well) == 0 {
		good = up
	}
	if len(good) == 0 {
		require.Empty(t, is, what)
		return
	}
	require.Contains(t, good, is, "%s: it is where it cannot serve", what)
	stays := slices.Contains(good, was)
	switch {
	case w.goesBack && w.after:
		// It goes back only to the best step, once a node there has been well for long; where it has to
		// go, it goes to the best that is there.
		ready := slices.DeleteFunc(slices.Clone(good), func(n string) bool {
			return !slices.Contains(long, n) || w.step(n) > 0
		})
		switch {
		case !stays:
			require.Contains(t, w.best(good), is, what)
		case w.step(was) > 0 && len(ready) > 0:
			require.Contains(t, ready, is, what)
		default:
			require.Equal(t, was, is, "%s: it moved without need", what)
		}
	case w.goesBack:
		require.Contains(t, w.best(good), is, what)
		if stays && w.step(was) == w.step(is) {
			require.Equal(t, was, is, "%s: it moved without need", what)
		}
	case stays:
		require.Equal(t, was, is, "%s: it was well and moved", what)
	default:
		require.Contains(t, w.best(good), is, what)
	}
}

// TestPlaces lets Pacemaker's scheduler decide in every state of three nodes of two sites, and after
// each change of one of them: an address is where it is to be among the nodes that are well, and moves
// only for the reasons that its file gives.
func TestPlaces(t *testing.T) {
	nodes := []string{"lb-1", "lb-2", "lb-3"}
	const head = "fencing: off\nsites: {main: {nodes: [lb-1, lb-2]}, reserve: {nodes: [lb-3]}}\n" +
		"haproxy: {checks: [{name: web, url: \"http://127.0.0.1/\"}]}\nfloating_ips:\n"
	for _, tc := range []struct {
		name, file string
		addresses  map[string]wanted
		together   []string
		more       []health
		nodes      int // 0 for all
	}{
		{
			name: "a site",
			file: "  - {name: A, ip: 192.0.2.10, provider: lan, prefer: [main]}\n",
			addresses: map[string]wanted{
				"A": {steps: [][]string{{"lb-1", "lb-2"}}},
			},
		},
		{
			name: "nodes, and back",
			file: "  - {name: A, ip: 192.0.2.10, provider: lan, prefer: [lb-2, lb-3], failback: on}\n",
			addresses: map[string]wanted{
				"A": {steps: [][]string{{"lb-2"}, {"lb-3"}}, goesBack: true},
			},
		},
		{
			name: "back to a site",
			file: "  - {name: A, ip: 192.0.2.10, provider: lan, prefer: [reserve, main], failback: on}\n",
			addresses: map[string]wanted{
				"A": {steps: [][]string{{"lb-3"}, {"lb-1", "lb-2"}}, goesBack: true},
			},
		},
		{
			name: "back after a time",
			file: "  - {name: A, ip: 192.0.2.10, provider: lan, prefer: [lb-1, lb-2], failback: on, failback_after: 5m}\n",
			addresses: map[string]wanted{
				"A": {steps: [][]string{{"lb-1"}, {"lb-2"}}, goesBack: true, after: true},
			},
			more: []health{returned}, nodes: 2,
		},
		{
			name: "back to a site after a time",
			file: "  - {name: A, ip: 192.0.2.10, provider: lan, prefer: [main], failback: on, failback_after: 5m}\n",
			addresses: map[string]wanted{
				"A": {steps: [][]string{{"lb-1", "lb-2"}}, goesBack: true, after: true},
			},
			more: []health{returned},
		},
		{
			name: "a group",
			file: "  - {name: A, ip: 192.0.2.10, provider: lan, prefer: [main]}\n" +
				"  - {name: B, ip: 192.0.2.11, provider: lan}\n" +
				"  - {name: C, ip: '2001:db8::1', provider: lan}\n" +
				"groups: [{name: edge, addresses: [C, A, B]}]\n",
			addresses: map[string]wanted{
				"A": {steps: [][]string{{"lb-1", "lb-2"}}},
			},
			together: []string{"A", "B", "C"},
		},
		{
			name: "two that go back to different nodes",
			file: "  - {name: A, ip: 192.0.2.10, provider: lan, prefer: {lb-1: 150, lb-2: 100}, failback: on}\n" +
				"  - {name: B, ip: 192.0.2.11, provider: lan, prefer: {lb-2: 150, lb-1: 100}, failback: on}\n",
			addresses: map[string]wanted{
				"A": {steps: [][]string{{"lb-1"}, {"lb-2"}}, goesBack: true},
				"B": {steps: [][]string{{"lb-2"}, {"lb-1"}}, goesBack: true},
			},
			nodes: 2,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := tc.nodes
			if n == 0 {
				n = len(nodes)
			}
			nodes := nodes[:n]
			start := simulate(t, head+tc.file, nodes...)
			for _, first := range states(n, tc.more...) {
				before := *start
				before.becomes(first)
				for _, then := range states(n, tc.more...) {
					if !oneApart(first, then) {
						continue
					}
					after := before
					after.becomes(then)
					what := fmt.Sprintf("%s with %v, then %s: %v", first, before.at, then, after.at)
					for address, w := range tc.addresses {
						w.judge(t, nodes, then, before.at[address], after.at[address], what)
					}
					for _, other := range tc.together {
						require.Equal(t, after.at[tc.together[0]], after.at[other], what)
					}
					for address, count := range after.running {
						require.Equal(t, 1, count, "%s: %s", what, address)
					}
				}
			}
		})
	}
}

// TestPreferredShare: addresses that prefer the same site are apart in it while it has nodes for them,
// and share one of its nodes rather than go to another site.
func TestPreferredShare(t *testing.T) {
	s := simulate(t, `fencing: off
sites: {main: {nodes: [lb-1, lb-2]}, reserve: {nodes: [lb-3, lb-4]}}
haproxy: {}
floating_ips:
  - {name: A, ip: 192.0.2.10, provider: lan, prefer: [main]}
  - {name: B, ip: 192.0.2.11, provider: lan, prefer: [main]}
  - {name: C, ip: 192.0.2.12, provider: lan}
`, "lb-1", "lb-2", "lb-3", "lb-4")
	require.ElementsMatch(t, []string{"lb-1", "lb-2"}, []string{s.at["A"], s.at["B"]})
	require.Contains(t, []string{"lb-3", "lb-4"}, s.at["C"])
	b := s.at["B"]
	s.becomes(map[string]string{"lb-1": "-ooo", "lb-2": "o-oo"}[s.at["A"]])
	require.Equal(t, b, s.at["B"])
	require.Equal(t, b, s.at["A"])
	s.becomes("oooo")
	require.Equal(t, b, s.at["B"])
	require.Equal(t, b, s.at["A"], "it moved without need")
	s.becomes("--oo")
	require.Contains(t, []string{"lb-3", "lb-4"}, s.at["A"])
	require.Contains(t, []string{"lb-3", "lb-4"}, s.at["B"])
}

// TestManyGroups: sixteen addresses in groups and alone, on five nodes of two sites, settle, and what is
// lost moves alone.
func TestManyGroups(t *testing.T) {
	yaml := "fencing: off\nsites: {main: {nodes: [lb-1, lb-2, lb-3]}, reserve: {nodes: [lb-4, lb-5]}}\n" +
		"haproxy: {checks: [{name: web, url: 'http://127.0.0.1/'}]}\nfloating_ips:\n"
	var groups [4][]string
	for i := range 16 {
		ip := fmt.Sprintf("192.0.2.%d", i+1)
		if i%2 == 1 {
			ip = fmt.Sprintf("'2001:db8::%d'", i+1)
		}
		yaml += fmt.Sprintf("  - {name: A%d, ip: %s, provider: lan, prefer: [main]}\n", i, ip)
		if i < 12 {
			groups[i%4] = append(groups[i%4], fmt.Sprintf("A%d", i))
		}
	}
	yaml += "groups:\n"
	for i, g := range groups {
		yaml += fmt.Sprintf("  - {name: g%d, addresses: [%s]}\n", i, strings.Join(g, ", "))
	}
	s := simulate(t, yaml, "lb-1", "lb-2", "lb-3", "lb-4", "lb-5")
	check := func(lost string) {
		t.Helper()
		before := s.at
		for i := range 16 {
			name := fmt.Sprintf("A%d", i)
			require.NotEmpty(t, s.at[name])
			require.Equal(t, 1, s.running[name])
			if i < 12 {
				require.Equal(t, s.at[groups[i%4][0]], s.at[name])
			}
		}
		s.becomes(lost)
		for name, node := range before {
			i := slices.Index(s.nodes, node)
			if i >= 0 && lost[i] == byte(holds) {
				require.Equal(t, node, s.at[name], name)
			}
		}
	}
	check("o-ooo")
	check("o-oox")
	check("ooooo")
	check("xxxxo")
	for i := range 16 {
		require.Equal(t, "lb-5", s.at[fmt.Sprintf("A%d", i)])
	}
	check("ooooo")
	check("ooooo")
}
