package config

import "github.com/hawser-ha/hawser/contract"

// key is one key of hawser.yaml, declared once: reading and validation, the help, the manual and
// the reference page, the JSON Schema and the parameters of the agents all come from it.
type key struct {
	name string
	kind kind
	list bool   // kind's keys are those of each element
	of   string // kind's keys are those of each value of a mapping, whose keys are such names
	doc  string // what it is for
	at   *Position

	// def is the default, written as in the file; otherwise describes it in words if it is not a
	// single value.
	def, otherwise string
	// written says that the default is written to the cluster. Such a default is hawser's own;
	// other defaults are the agent's, and are not written.
	written bool

	required bool
	hint     string // added to the message "X has no Y"

	param  string // the parameter of the agent that it becomes
	effect effect
	only   string // the only provider of addresses for which it has a meaning
}

// effect is what applying a change of a key does to the balancer's users.
type effect string

const (
	nothing effect = "nothing"
	reload  effect = "reload"
	restart effect = "restart"
	move    effect = "move"
)

// effects explains them, the mildest first.
func effects() []struct {
	effect
	doc string
} {
	return []struct {
		effect
		doc string
	}{
		{nothing, "HAProxy and the addresses are not affected"},
		{reload, "every node's HAProxy reloads, without losing a connection"},
		{restart, "HAProxy is stopped and started, on all nodes at once: no new connection is " +
			"answered meanwhile, and open ones end within stop_grace"},
		{move, "the address is released and taken again, by the same node or another: it is not " +
			"reachable meanwhile"},
	}
}

// Param is a parameter of an agent, as the cluster's configuration has it.
type Param struct{ Name, Value string }

// params returns the parameters that the keys set, without those at the agent's default.
func params(keys []key) []Param {
	var out []Param
	for _, k := range flat(keys) {
		if k.param == "" {
			continue
		}
		text := k.kind.text()
		if text != "" && (k.written || !k.same(text, "")) {
			out = append(out, Param{k.param, text})
		}
	}
	return out
}

// same reports whether two texts of the parameter mean the same. "" is a parameter that is not set.
func (k key) same(a, b string) bool { return k.meaning(a) == k.meaning(b) }

func (k key) meaning(text string) string {
	if text == "" {
		text = k.def
	}
	return k.kind.meaning(text)
}

// flat lists the keys and those below them.
func flat(keys []key) []key {
	var out []key
	for _, k := range keys {
		out = append(out, k)
		out = append(out, flat(k.kind.keys)...)
	}
	return out
}

// keys declares the file.
func (c *File) keys() []key {
	return []key{
		{
			name:     "haproxy",
			kind:     mapping(c.HAProxy.keys()...),
			at:       &c.HAProxy.At,
			doc:      "HAProxy, on every node; may be empty",
			required: true,
			hint: "it may be empty (`haproxy: {}`), HAProxy then runs with " +
				contract.DefaultConffile,
		},
		{
			name: "floating_ips",
			kind: addresses(&c.Addresses),
			list: true,
			doc:  "the addresses, a list",
		},
		{
			name: "groups",
			kind: groups(&c.Groups),
			list: true,
			doc:  "addresses that move together, a list",
		},
		{
			name: "resources",
			kind: belongings(&c.Resources),
			list: true,
			doc: "what else of the cluster's resources, made by somebody else, belongs to an address, " +
				"a list",
		},
		{
			name: "sites",
			kind: sites(&c.Sites),
			of:   "SITE",
			doc: "the places where the nodes are, such as data centres. HAProxy's configuration knows " +
				"its own as ${HAWSER_SITE}",
		},
		{
			name: "quorum",
			kind: mapping(c.Quorum.keys()...),
			doc:  "what decides which part of a cluster that has come apart goes on",
		},
		{
			name: "fencing",
			kind: c.Fencing.kind(),
			at:   &c.Fencing.At,
			doc: "what makes sure that an unreachable node is down. off: nothing, a cluster " +
				"without " +
				"fencing will do. on: the cluster's own fencing devices, which are required, and " +
				"stonith-enabled=true. sbd: the nodes' watchdogs, as below. Without the key, a " +
				"cluster is refused in which Pacemaker would start nothing",
			effect: nothing,
		},
	}
}
