package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A fact's name begins with its kind.
const (
	FactHawser  = "hawser"
	FactAgent   = "agent "
	FactHAProxy = "haproxy"
	FactConfig  = "configuration of "
	FactToken   = "token in "
	FactSysctl  = "sysctl "
	FactSBD     = "SBD_WATCHDOG_TIMEOUT" // the check sbd compares it
)

// Compare finds the facts in which nodes differ. A node without a fact is left out: its own checks
// report what is missing there. conffiles are the configurations of the cluster's HAProxies, by
// resource.
func Compare(nodes map[string]map[string]string, conffiles map[string]string) []Finding {
	names := map[string]bool{}
	for _, facts := range nodes {
		for name := range facts {
			names[name] = name != FactSBD
		}
	}
	var found []Finding
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !names[name] {
			continue
		}
		having := map[string][]string{}
		for _, node := range slices.Sorted(maps.Keys(nodes)) {
			if v, ok := nodes[node][name]; ok {
				having[v] = append(having[v], node)
			}
		}
		if len(having) < 2 {
			continue
		}
		values := slices.SortedFunc(maps.Keys(having), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(having[b]), len(having[a])),
				strings.Compare(having[a][0], having[b][0]))
		})
		var parts []string
		for _, v := range values {
			parts = append(parts, fmt.Sprintf("%s on %s", v, strings.Join(having[v], ", ")))
		}
		f := Finding{
			Severity: Warning, Subject: name,
			What: "the nodes differ in " + name + ": " + strings.Join(parts, "; "),
		}
		switch {
		case strings.HasPrefix(name, FactConfig):
			resource := strings.TrimPrefix(name, FactConfig)
			f.Why = "after a failover clients get a different configuration"
			f.Fix = []string{fmt.Sprintf(
				"hawser reload --push %s %s   # on the node whose file is right",
				Quote(conffiles[resource]), Quote(resource))}
			if conffiles[resource] == "" {
				f.Fix, f.Todo = nil, []string{"on the node whose configuration is right: `hawser reload " +
					"--push` with that file, and the resource " + Quote(resource)}
			}
		case strings.HasPrefix(name, FactToken):
			f.Severity, f.Why = Note, "one of them may be from before the token was replaced"
			f.Fix = []string{"ls -l " + Quote(strings.TrimPrefix(name, FactToken)) + "   # on each"}
		case strings.HasPrefix(name, FactSysctl):
			key := strings.TrimPrefix(name, FactSysctl)
			f.Severity, f.Why = Note, "what works on one node may not on the other"
			f.Fix = []string{"sysctl " + Quote(key) + "   # on each"}
		case name == FactHAProxy:
			f.Why = "a configuration that one accepts the other may refuse"
			f.Fix = []string{
				"apt-get install --only-upgrade haproxy   # on the older ones; or dnf upgrade " +
					"haproxy",
			}
		default:
			f.Why, f.Fix = "one may write what the other does not understand", []string{
				"apt-get install --only-upgrade hawser   # on the older ones; or dnf upgrade " +
					"hawser",
			}
		}
		found = append(found, f)
	}
	return found
}
