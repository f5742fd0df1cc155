package crm

import (
	"maps"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// FencingDevice is a resource that can fence nodes: a primitive of class stonith, including one
// that is made from a template, or is in a group or a clone.
type FencingDevice struct {
	ID    string
	Agent string // "stonith:fence_droplet"
	// StoppedBy is the id of what gives it the target role Stopped, "" if nothing does: itself, its
	// group or clone, its template, or "rsc_defaults". Pacemaker's fencer ignores such a device
	// (pe__resource_is_disabled()), although its scheduler counts it and starts resources.
	StoppedBy string
	// Hosts are the nodes that pcmk_host_list and pcmk_host_map name.
	Hosts []string
	// Check is pcmk_host_check, how Pacemaker finds out which nodes the device fences; if it is not
	// set, "static-list" if there are Hosts, or else "" (it asks the agent, by the action list or
	// status).
	Check string
}

// Fences says whether the device can fence the node. known is false if only the agent could tell.
// See pacemaker-fenced(7) and can_fence_host_with_device() of Pacemaker 2.1.
func (d FencingDevice) Fences(node string) (can, known bool) {
	switch d.Check {
	case "none":
		return true, true
	case "static-list":
		return slices.ContainsFunc(d.Hosts,
			func(h string) bool { return strings.EqualFold(h, node) }), true
	}
	return false, false
}

// FencingDevices lists the fencing devices, in the order of the configuration.
func (c *CIB) FencingDevices() []FencingDevice {
	resources := c.configuration().SelectElement("resources")
	if resources == nil {
		return nil
	}
	templates := templatesOf(resources)
	everywhere := ""
	if defaults := c.configuration().SelectElement("rsc_defaults"); defaults != nil &&
		stoppedIn(defaults) {
		everywhere = "rsc_defaults"
	}
	var out []FencingDevice
	var walk func(el *etree.Element, outside string)
	walk = func(el *etree.Element, outside string) {
		for _, child := range el.ChildElements() {
			stopped := outside
			if said, how := targetRole(child); said {
				if how {
					stopped = value(child, "id")
				} else if stopped == everywhere { // the setting nearer to the resource counts
					stopped = ""
				}
			}
			switch child.Tag {
			case "group", "clone", "master":
				walk(child, stopped)
			case "primitive":
				from, sets := child, child.SelectElements("instance_attributes")
				if t := templates[value(child, "template")]; t != nil {
					from = t
					sets = append(sets, t.SelectElements("instance_attributes")...)
					if said, how := targetRole(t); said && how && stopped == "" {
						if own, _ := targetRole(child); !own {
							stopped = value(t, "id")
						}
					}
				}
				if strings.EqualFold(value(from, "class"), "stonith") {
					d := FencingDevice{
						ID: value(child, "id"), Agent: "stonith:" + value(from, "type"),
						StoppedBy: stopped,
					}
					d.Hosts, d.Check = hosts(sets)
					out = append(out, d)
				}
			}
		}
	}
	walk(resources, everywhere)
	return out
}

// Unfenced returns those of the nodes that no fencing device covers: when one fails, what ran on it
// does not start elsewhere. A device whose nodes only its agent knows is taken to cover all. In a
// cluster without devices it returns nothing.
func (c *CIB) Unfenced(nodes []string) []string {
	devices := slices.DeleteFunc(c.FencingDevices(),
		func(d FencingDevice) bool { return d.StoppedBy != "" })
	if len(devices) == 0 {
		return nil
	}
	var out []string
	for _, node := range nodes {
		if !slices.ContainsFunc(devices,
			func(d FencingDevice) bool { can, known := d.Fences(node); return can || !known }) {
			out = append(out, node)
		}
	}
	return out
}

// hosts reads which nodes a device covers, from its own parameters, or else those of its template.
func hosts(sets []*etree.Element) (named []string, check string) {
	params := map[string]string{}
	for _, set := range sets {
		if set.SelectElement("rule") != nil {
			return nil, "" // it depends on the node and the time
		}
		for _, nv := range set.SelectElements("nvpair") {
			if _, ok := params[value(nv, "name")]; !ok {
				params[value(nv, "name")] = value(nv, "value")
			}
		}
	}
	list, listed := params["pcmk_host_list"]
	pairs, mapped := params["pcmk_host_map"]
	named = append(named, strings.FieldsFunc(list,
		func(r rune) bool { return strings.ContainsRune(" \t\n,;", r) })...)
	named = slices.AppendSeq(named, maps.Keys(HostMap(pairs)))
	check = params["pcmk_host_check"]
	if check == "" && (listed || mapped) {
		check = "static-list"
	}
	return named, check
}

// HostMap reads the parameter pcmk_host_map, "lb-1:1001;lb-2:1002": the device's names of the
// nodes, by the nodes' names in lower case, since Pacemaker ignores the case of those.
func HostMap(text string) map[string]string {
	plugs := map[string]string{}
	for _, pair := range strings.FieldsFunc(text,
		func(r rune) bool { return strings.ContainsRune(" \t\n;", r) }) {
		if i := strings.IndexAny(pair, ":="); i > 0 {
			plugs[strings.ToLower(pair[:i])] = pair[i+1:]
		}
	}
	return plugs
}

// targetRole says whether the element's own meta attributes give a target role, and whether it is
// Stopped.
func targetRole(el *etree.Element) (said, stopped bool) {
	for _, set := range el.SelectElements("meta_attributes") {
		for _, nv := range set.SelectElements("nvpair") {
			if value(nv, "name") == TargetRole {
				return true, IsStopped(value(nv, "value"))
			}
		}
	}
	return false, false
}

func stoppedIn(el *etree.Element) bool {
	_, stopped := targetRole(el)
	return stopped
}
