package doctor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
)

// Attribute is the private node attribute in which a node tells the others what it has found.
const Attribute = contract.DoctorAttribute

// Told is what a node has told the cluster of itself.
type Told struct {
	At time.Time `json:"at"`
	// Facts are what nodes have in common or ought to, by name.
	Facts    map[string]string `json:"facts"`
	Findings []Finding         `json:"findings,omitempty"`
	// Left is how many further findings there was no room for.
	Left int `json:"left,omitempty"`
}

// What may be told, and for how long it holds. Every node's memory has every node's attribute.
const (
	toldLimit     = 4 << 10
	unpackedLimit = 1 << 20
	// Refresh is after how long the same is told again, so that others know that it still holds; Stale after how long it does not.
	Refresh = time.Hour
	Stale   = Refresh + 30*time.Minute
)

// Same is whether two nodes' words differ in nothing but their time.
func (t Told) Same(other Told) bool {
	a, errA := json.Marshal(Told{Facts: t.Facts, Findings: t.Findings, Left: t.Left})
	b, errB := json.Marshal(Told{Facts: other.Facts, Findings: other.Findings, Left: other.Left})
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// Pack makes an attribute's value of it, without notes, and with as many findings, worst first, as there is room for.
func (t Told) Pack() (string, error) {
	t = t.fitting()
	return t.pack()
}

// Fitting is what of it is told.
func (t Told) fitting() Told {
	t.Findings = slices.DeleteFunc(slices.Clone(t.Findings), func(f Finding) bool { return f.Severity == Note })
	for {
		value, err := t.pack()
		if err != nil || len(value) <= toldLimit || len(t.Findings) == 0 {
			return t
		}
		t.Findings, t.Left = t.Findings[:len(t.Findings)-1], t.Left+1
	}
}

func (t Told) pack() (string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return contract.Pack(text), nil
}

// Unpack reads an attribute's value.
func Unpack(value string) (Told, error) {
	text, err := contract.Unpack(value, unpackedLimit)
	if err != nil {
		return Told{}, err
	}
	var t Told
	err = json.Unmarshal(text, &t)
	return t, err
}

// Heard are the facts of the nodes that told some that still hold.
func Heard(values map[string]string, now time.Time) map[string]map[string]string {
	facts := map[string]map[string]string{}
	for node, value := range values {
		if t, _ := From(node, value, now); t.Facts != nil {
			facts[node] = t.Facts
		}
	}
	return facts
}

// From are the findings of what another node told, and of a node that told nothing that can be read: an empty value is none.
func From(node, value string, now time.Time) (Told, []Finding) {
	silent := func(what string) []Finding {
		return []Finding{{Check: "other-nodes", Severity: Unknown, Node: node, What: what,
			Why: "what is wrong with that node is not known here", Fix: []string{"hawser doctor --tell   # on " + node}}}
	}
	if value == "" {
		return Told{}, silent("it has told the cluster nothing of itself: its keeper of HAProxy does not run, or is older")
	}
	t, err := Unpack(value)
	if err != nil {
		return Told{}, silent(fmt.Sprintf("what it told the cluster cannot be read (another version of hawser?): %v", err))
	}
	age := now.Sub(t.At)
	if age > Stale {
		return Told{}, silent(fmt.Sprintf("it last told of itself at %s, which is too long ago, or its clock is wrong", t.At.UTC().Format(time.RFC3339)))
	}
	at := t.At
	for i := range t.Findings {
		t.Findings[i].Node, t.Findings[i].Told = node, &at
	}
	if age < -veryWrong { // clock-skew goes by ICMP's time stamps, which do not show whole days
		t.Findings = append(t.Findings, Finding{Check: "clock-skew", Severity: Error, Node: node, Told: &at, Subject: node,
			What: fmt.Sprintf("by its clock it told of itself %v from now", (-age).Round(time.Second)),
			Why:  "one of the two clocks is wrong: certificates and API tokens are refused there, and the logs of a failover cannot be read side by side",
			Fix:  []string{"date    # on both nodes", "chronyc makestep    # on the node whose clock is wrong"}})
	}
	if t.Left > 0 {
		t.Findings = append(t.Findings, Finding{Check: "other-nodes", Severity: Unknown, Node: node, Told: &at, What: fmt.Sprintf("%d further findings there had no room in what it tells", t.Left),
			Fix: []string{"hawser doctor   # on " + node}})
	}
	return t, t.Findings
}

// A fact's name begins with its kind.
const (
	factHawser  = "hawser"
	factAgent   = "agent "
	factHAProxy = "haproxy"
	factConfig  = "configuration of "
	factToken   = "token in "
	factSysctl  = "sysctl "
	factSBD     = "SBD_WATCHDOG_TIMEOUT" // the check sbd compares it
)

// Compare says which facts differ between nodes. A node without the fact is left out: what is missing there its own checks tell. conffiles are
// the configurations of the cluster's HAProxies by resource.
func Compare(nodes map[string]map[string]string, conffiles map[string]string) []Finding {
	names := map[string]bool{}
	for _, facts := range nodes {
		for name := range facts {
			names[name] = name != factSBD
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
			return cmp.Or(cmp.Compare(len(having[b]), len(having[a])), strings.Compare(having[a][0], having[b][0]))
		})
		var parts []string
		for _, v := range values {
			parts = append(parts, fmt.Sprintf("%s on %s", v, strings.Join(having[v], ", ")))
		}
		f := Finding{Severity: Warning, Subject: name, What: "the nodes differ in " + name + ": " + strings.Join(parts, "; ")}
		switch {
		case strings.HasPrefix(name, factConfig):
			resource := strings.TrimPrefix(name, factConfig)
			f.Why, f.Fix = "after a failover clients meet another configuration", []string{fmt.Sprintf("hawser reload --push %s %s   # on the node whose file is right", or(conffiles[resource], "FILE"), resource)}
		case strings.HasPrefix(name, factToken):
			f.Severity, f.Why, f.Fix = Note, "one of them may have been left behind when the token was replaced", []string{"ls -l " + strings.TrimPrefix(name, factToken) + "   # on each"}
		case strings.HasPrefix(name, factSysctl):
			key := strings.TrimPrefix(name, factSysctl)
			f.Severity, f.Why, f.Fix = Note, "what works on one node may not on the other", []string{"sysctl " + key + "   # on each"}
		case name == factHAProxy:
			f.Why, f.Fix = "a configuration that one accepts the other may refuse", []string{"apt-get install --only-upgrade haproxy   # on the older ones; or dnf upgrade haproxy"}
		default:
			f.Why, f.Fix = "one may write what the other does not understand", []string{"apt-get install --only-upgrade hawser   # on the older ones; or dnf upgrade hawser"}
		}
		found = append(found, f)
	}
	return found
}
