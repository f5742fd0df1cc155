package lab

import (
	"fmt"
	"slices"
	"strings"
)

// end is what a fault of a link is between: a node, the cloud, or a site with all that is in it.
type end struct {
	name string
	// site is whether it is one, nodes are those of the site or the node alone.
	site  bool
	nodes []string
	// plugs are where it is plugged in, by network. A site is plugged into the switch in the middle.
	plugs map[string]plug
}

// plug is a port of a switch, and the address of what is behind it if that is one node.
type plug struct{ bridge, port, mac string }

// endOf finds what is called so.
func (l *Lab) endOf(name string) (end, error) {
	if l.spec.hasSite(name) {
		e := end{name: name, site: true, plugs: map[string]plug{}}
		for _, n := range l.spec.site(name) {
			e.nodes = append(e.nodes, n.Name)
		}
		for network := range stretched {
			middle, _ := trunk(name, network)
			e.plugs[network] = plug{bridge: network, port: middle}
		}
		return e, nil
	}
	nics := cloudNICs()
	if name != cloudNode {
		n, err := l.Node(name)
		if err != nil {
			if len(l.spec.Sites) > 0 {
				err = fmt.Errorf("%w, and the sites %v", err, l.spec.Sites)
			}
			return end{}, err
		}
		nics = n.nics()
	}
	e := end{name: name, nodes: []string{name}, plugs: map[string]plug{}}
	for _, n := range nics {
		e.plugs[networkOf(n.bridge)] = plug{
			bridge: n.bridge, port: port(name, n), mac: mac(n).String(),
		}
	}
	return e, nil
}

// networkOf returns the network of a switch.
func networkOf(bridge string) string {
	for network, short := range stretched {
		if strings.HasSuffix(bridge, "-"+short) {
			return network
		}
	}
	return bridge
}

// String returns the site as it can be given on a command line.
func (s Site) String() string { return fmt.Sprintf("%s=%d", s.Name, s.Balancers) }

// within says whether all of it belongs to the other one.
func (e end) within(other end) bool {
	for _, n := range e.nodes {
		if !slices.Contains(other.nodes, n) {
			return false
		}
	}
	return true
}

// match says which frames go from one end to the other on a network: those from port capture of one
// switch to port out of the same or another one.
type match struct {
	capture, out string
	// from is the address of the node behind capture, if the two ports are at different switches.
	from string
}

// where is the match in the words of ebtables.
func (m match) where() string {
	if m.from != "" {
		return "-s " + m.from + " -o " + m.out
	}
	return "-i " + m.capture + " -o " + m.out
}

// ways lists how frames get from a to b, none if they share no network. At one switch it is from
// port to port; elsewhere the frame is known by its source where it would leave for b.
func (l *Lab) ways(a, b end) ([]match, error) {
	var all []match
	for _, network := range []string{publicBridge, privateBridge, farBridge} {
		x, okA := a.plugs[network]
		y, okB := b.plugs[network]
		switch {
		case !okA || !okB:
		case a.site && b.within(a) || b.site && a.within(b) || a.site && x.bridge != y.bridge:
			// A site and a node that is inside a site: each of the site's nodes by itself.
			more, err := l.eachWay(a, b, network)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		case x.bridge == y.bridge:
			all = append(all, match{capture: x.port, out: y.port})
		default:
			all = append(all, match{capture: x.port, out: y.port, from: x.mac})
		}
	}
	return all, nil
}

// eachWay lists how frames get on the network from each node of a to each of b, or to b's link.
func (l *Lab) eachWay(a, b end, network string) ([]match, error) {
	var all []match
	targets := b.nodes
	if b.site && !a.within(b) {
		targets = []string{b.name}
	}
	for _, from := range a.nodes {
		for _, to := range targets {
			if from == to {
				continue
			}
			x, err := l.endOf(from)
			if err != nil {
				return nil, err
			}
			y, err := l.endOf(to)
			if err != nil {
				return nil, err
			}
			ways, err := l.ways(x.only(network), y.only(network))
			if err != nil {
				return nil, err
			}
			all = append(all, ways...)
		}
	}
	return all, nil
}

// only is the end as far as one network goes.
func (e end) only(network string) end {
	p, ok := e.plugs[network]
	e.plugs = map[string]plug{}
	if ok {
		e.plugs[network] = p
	}
	return e
}

// waysBetween is ways of the ends of these names.
func (l *Lab) waysBetween(a, b string) ([]match, error) {
	x, err := l.endOf(a)
	if err != nil {
		return nil, err
	}
	y, err := l.endOf(b)
	if err != nil {
		return nil, err
	}
	return l.ways(x, y)
}

// share is an error if there is nothing between the two that could be cut.
func (l *Lab) share(a, b string) error {
	ways, err := l.waysBetween(a, b)
	switch {
	case err != nil:
		return err
	case a == b:
		return fmt.Errorf("lab: cut %s from itself: name two nodes", a)
	case len(ways) == 0:
		return fmt.Errorf("lab: cut %s from %s: no network has both", a, b)
	}
	return nil
}
