package corosync

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Difference is a setting that differs between two configurations.
type Difference struct {
	// Key is the setting's name in Corosync's database, such as totem.token, or "nodelist.node
	// NAME".
	Key string
	// Have and Want are its values, "" if it is missing. For a node they are its settings in one
	// line.
	Have, Want string
	// Restart says that a running Corosync keeps the old value until it is restarted. It takes over
	// the others when corosync-cfgtool -R tells it to reload: times, two_node, and nodes that join
	// those it has.
	Restart bool
}

// String returns the difference as a line for people.
func (d Difference) String() string {
	switch {
	case d.Have == "" && d.Want == "":
		return d.Key + ": only one of the two has this section"
	case d.Have == "":
		return fmt.Sprintf("%s: missing, expected %s", d.Key, d.Want)
	case d.Want == "":
		return fmt.Sprintf("%s: %s, expected none", d.Key, d.Have)
	}
	return fmt.Sprintf("%s: %s, expected %s", d.Key, d.Have, d.Want)
}

// Compare lists the settings in which the configuration have differs from want, sorted by key.
// Comments, layout and order do not count. The error says why one of the two cannot be read.
func Compare(have, want string) ([]Difference, error) {
	h, err := settings(have)
	if err != nil {
		return nil, err
	}
	w, err := settings(want)
	if err != nil {
		return nil, err
	}
	both := maps.Clone(h)
	maps.Copy(both, w)
	var all []Difference
	for _, key := range slices.Sorted(maps.Keys(both)) {
		was, has := h[key]
		is, wants := w[key]
		if has && wants && was == is {
			continue
		}
		joins := strings.HasPrefix(key, nodePrefix) && !has
		restart := !joins && !reloadable.MatchString(key)
		all = append(all, Difference{Key: key, Have: was, Want: is, Restart: restart})
	}
	return all, nil
}

// reloadable lists the settings that a running Corosync takes over (totemconfig.c, reload;
// votequorum.c).
var reloadable = regexp.MustCompile(
	`^(totem\.(token[a-z_]*|consensus|interface\.\d+\.(knet_ping[a-z_]*|linknumber))|quorum\.two_node)$`,
)

// nodePrefix begins the key of a node. A node is compared as a whole, because Corosync refuses a
// new id or address for a node that it has.
const nodePrefix = "nodelist.node "

// settings flattens a configuration: each setting by its key, each node in one line, and sections
// without any setting, since their mere presence may mean something.
func settings(text string) (map[string]string, error) {
	top, err := parse(text)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	var flatten func(prefix string, lines []Line)
	flatten = func(prefix string, lines []Line) {
		for _, l := range lines {
			key := prefix + l.Key
			switch {
			case !l.opens:
				all[key] = l.Value
			case key == "nodelist.node":
				name, line := l.node()
				all[nodePrefix+name] = line
			case key == "totem.interface":
				flatten(key+"."+l.link()+".", l.Section)
			case len(l.Section) == 0:
				all[key] = ""
			default:
				flatten(key+".", l.Section)
			}
		}
	}
	flatten("", top)
	return all, nil
}

// node returns a node's name, or a substitute for it, and its settings in one line.
func (l Line) node() (name, line string) {
	values := map[string]string{}
	var words []string
	for _, in := range l.Section {
		values[in.Key] = in.Value
		words = append(words, in.Key+": "+in.Value)
	}
	slices.Sort(words)
	for _, key := range []string{"name", "nodeid", "ring0_addr"} {
		if name = values[key]; name != "" {
			break
		}
	}
	return name, strings.Join(words, ", ")
}

// link returns the number of an interface section, 0 if it has none.
func (l Line) link() string {
	link := "0"
	for _, in := range l.Section {
		if in.Key == "linknumber" || in.Key == "ringnumber" {
			link = in.Value
		}
	}
	return link
}
