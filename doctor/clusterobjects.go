package doctor

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/crm"
)

// primitives lists the resources.
func (v *clusterView) primitives() []*crm.Primitive {
	var all []*crm.Primitive
	for _, o := range v.objects {
		if p, ok := o.(*crm.Primitive); ok {
			all = append(all, p)
		}
	}
	return all
}

// isHAProxy says whether a resource is HAProxy, whoever runs it.
func isHAProxy(p *crm.Primitive) bool {
	return p.Class == "ocf" && p.Type == "haproxy" || (p.Class == "systemd" || p.Class == "lsb" || p.Class == "service") && strings.TrimSuffix(p.Type, ".service") == "haproxy"
}

// isAddress says whether a resource is an address: one of ours, or one of the agents that people use beside HAProxy.
func isAddress(p *crm.Primitive) bool {
	return isFloatIP(p) || p.Class == "ocf" && p.Provider == "heartbeat" && slices.Contains([]string{"IPaddr", "IPaddr2", "IPv6addr", "awseip", "awsvip"}, p.Type)
}

// isFloatIP says whether it is an address that hawser's agent holds.
func isFloatIP(p *crm.Primitive) bool { return p.Class == "ocf" && p.Type == "floatip" }

// heldTwice says whether two nodes can hold the address at the same time: nobody but the cluster keeps it at one node.
func heldTwice(p *crm.Primitive) bool {
	if isFloatIP(p) {
		provider, _ := p.Params.Get("provider")
		return provider == "lan"
	}
	return p.Type != "awseip" && p.Type != "awsvip"
}

func (v *clusterView) haproxies() []*crm.Primitive { return filter(v.primitives(), isHAProxy) }

func (v *clusterView) addresses() []*crm.Primitive { return filter(v.primitives(), isAddress) }

func filter[T any](all []T, keep func(T) bool) []T {
	var out []T
	for _, x := range all {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

// cloneOf is the clone in which a resource stands, alone or in a group; nil if in none.
func (v *clusterView) cloneOf(id string) *crm.Clone {
	for _, o := range v.objects {
		if c, ok := o.(*crm.Clone); ok && slices.Contains(v.family(id), c.Name) {
			return c
		}
	}
	return nil
}

// family lists a resource and what it stands in: its group and its clone.
func (v *clusterView) family(id string) []string {
	all := []string{id}
	for range 2 { // a group may stand in a clone
		for _, o := range v.objects {
			var inside []string
			switch c := o.(type) {
			case *crm.Group:
				inside = c.Members
			case *crm.Clone:
				inside = strings.Fields(c.Resource)
			default:
				continue
			}
			if slices.Contains(all, o.ID()) {
				continue
			}
			for _, in := range inside {
				if slices.Contains(all, in) {
					all = append(all, o.ID())
					break
				}
			}
		}
	}
	return all
}

// meta is a meta attribute of the resource as it is in effect: its own, then that of what it stands in, then the default.
func (v *clusterView) meta(id, name string) (value string, ok bool) {
	for _, in := range v.family(id) {
		for _, o := range v.objects {
			if o.ID() != in {
				continue
			}
			if value, ok := metaOf(o).Get(name); ok {
				return value, true
			}
		}
	}
	for _, o := range v.objects {
		if p, ok := o.(*crm.Property); ok && p.Section == crm.RscDefaults && p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

func metaOf(o crm.Object) crm.Attrs {
	switch o := o.(type) {
	case *crm.Primitive:
		return o.Meta
	case *crm.Clone:
		return o.Meta
	case *crm.Group:
		return o.Meta
	}
	return nil
}

// saysNo and saysYes read a boolean as Pacemaker does (crm_str_to_boolean); a word that is neither is neither.
func saysNo(word string) bool {
	return slices.Contains([]string{"false", "off", "no", "n", "0"}, strings.ToLower(word))
}

func saysYes(word string) bool {
	return slices.Contains([]string{"true", "on", "yes", "y", "1"}, strings.ToLower(word))
}

// yesProperty says whether an option of the cluster is set and true.
func (v *clusterView) yesProperty(name string) bool {
	value, ok := v.cib.Property(name)
	return ok && saysYes(value)
}

// unset is the command that takes an option of the cluster back to its default.
func unset(property string) string { return "crm_attribute --name " + property + " --delete" }

// setMeta is the command that sets a meta attribute of a resource.
func setMeta(id, name, value string) string {
	return "crm_resource --resource " + quote(id) + " --meta --set-parameter " + name + " --parameter-value " + quote(value)
}

func unsetMeta(id, name string) string {
	return "crm_resource --resource " + quote(id) + " --meta --delete-parameter " + name
}

// define is the command that writes an object as it ought to be, in one transaction. An object whose secret would be shown is edited by hand, and
// so is one that is made from a template, with that: either may have what is wrong.
func define(objects ...crm.Object) string {
	var lines []string
	for _, o := range objects {
		if p, ok := o.(*crm.Primitive); ok && p.Template != "" {
			return "crm configure edit " + quote(p.Template) + " " + quote(p.Name) + "    # the template, and what is made from it"
		}
		if crm.WithoutSecrets(o).String() != o.String() {
			return "crm configure edit " + quote(o.ID())
		}
		lines = append(lines, quote(strings.ReplaceAll(o.String(), " \\\n\t", " ")))
	}
	return `printf '%s\n' ` + strings.Join(lines, " ") + " | hawser configure load update -"
}

// plain are the characters that mean nothing else to a shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,"

// quote makes a word that a shell takes as it is.
func quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !strings.ContainsRune(plain, r)
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
