package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Link is what is wrong on the way from one end to another, beside cuts in both directions.
type Link struct {
	From, To string
	Cut      bool `json:",omitempty"` // nothing arrives
	// Delay is by how much later frames arrive, give or take Jitter.
	Delay, Jitter time.Duration `json:",omitempty"`
	Loss          float64       `json:",omitempty"` // percent that do not arrive
	// Dead says that the relay, which does it, has ended: then nothing arrives.
	Dead bool `json:",omitempty"`
}

// relayed says whether frames have to go by a relay.
func (l Link) relayed() bool { return !l.Cut && (l.Delay > 0 || l.Loss > 0) }

func (l Link) wrong() bool { return l.Cut || l.relayed() }

// linkState is a Link with the relay that makes it so.
type linkState struct {
	Link
	Flows []flow  `json:",omitempty"`
	Relay process `json:"Relay"`
}

// faults are all faults of links.
type faults struct {
	Cuts, RingCuts [][2]string
	Links          []linkState
}

const linksFile = "links.json"

// on changes the link from a to b, and the one back unless it is one way.
func (f *faults) on(a, b string, oneWay bool, change func(*Link)) {
	change(f.link(a, b))
	if !oneWay {
		change(f.link(b, a))
	}
}

// link returns the entry for the way from a to b, a new one if there is none.
func (f *faults) link(a, b string) *Link {
	for i, have := range f.Links {
		if have.From == a && have.To == b {
			return &f.Links[i].Link
		}
	}
	f.Links = append(f.Links, linkState{Link: Link{From: a, To: b}})
	return &f.Links[len(f.Links)-1].Link
}

func (l *Lab) faults() (f faults, err error) {
	if f.Cuts, err = l.cuts(cutsFile); err != nil {
		return f, err
	}
	if f.RingCuts, err = l.cuts(ringCutsFile); err != nil {
		return f, err
	}
	b, err := os.ReadFile(l.path(linksFile))
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &f.Links)
	}
	if err != nil {
		return f, fmt.Errorf("lab: the list of links: %w", err)
	}
	return f, nil
}

// change changes what is wrong, and has it be so when it returns. A relay that is needed works
// before frames are dropped for it, and one that is not is ended after they pass again: no frame is
// lost because a fault is added or removed, at worst it arrives twice.
func (l *Lab) change(edit func(*faults) error) error {
	return l.locked(func() error {
		before, err := l.faults()
		if err != nil {
			return err
		}
		now, err := l.faults()
		if err != nil {
			return err
		}
		if err := edit(&now); err != nil {
			return err
		}
		now.Links = slices.DeleteFunc(now.Links, func(s linkState) bool { return !s.wrong() })
		return l.bringAbout(before, now)
	})
}

func (l *Lab) bringAbout(before, now faults) error {
	rules, err := l.faultRules(now)
	if err != nil {
		return err
	}
	started, err := l.startRelays(&now)
	if err == nil {
		err = l.ebtables(rules)
	}
	if err == nil {
		err = l.keepFaults(now)
	}
	if err != nil {
		return errors.Join(err, endRelays(started))
	}
	var old []process
	for _, s := range before.Links {
		used := slices.ContainsFunc(now.Links,
			func(n linkState) bool { return n.Relay == s.Relay })
		if s.Relay.PID != 0 && !used {
			old = append(old, s.Relay)
		}
	}
	return endRelays(old)
}

// faultRules are the rules for the bridges, all of them.
func (l *Lab) faultRules(f faults) (string, error) {
	var rules strings.Builder
	rules.WriteString("*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n")
	drop := func(a, b, also string) error {
		ways, err := l.waysBetween(a, b)
		rules.WriteString(dropRules(ways, also))
		return err
	}
	for also, pairs := range map[string][][2]string{"": f.Cuts, ringMatch: f.RingCuts} {
		for _, p := range pairs {
			if err := errors.Join(drop(p[0], p[1], also), drop(p[1], p[0], also)); err != nil {
				return "", err
			}
		}
	}
	for _, s := range f.Links {
		if err := drop(s.From, s.To, ""); err != nil {
			return "", err
		}
	}
	return rules.String(), nil
}

// startRelays starts the relays that f needs and has not got, or has got for something else.
func (l *Lab) startRelays(f *faults) (started []process, err error) {
	wanted := make([][]flow, len(f.Links))
	for i, s := range f.Links {
		if s.relayed() {
			if wanted[i], err = l.flows(*f, s.Link); err != nil {
				return nil, err
			}
		}
	}
	apart(wanted)
	for i := range f.Links {
		s, flows := &f.Links[i], wanted[i]
		if reflect.DeepEqual(flows, s.Flows) && (len(flows) == 0 || s.Relay.alive()) {
			continue
		}
		s.Flows, s.Relay = flows, process{}
		if len(flows) == 0 {
			continue
		}
		parameter, err := json.Marshal(flows)
		if err != nil {
			return started, fmt.Errorf("lab: start a relay: %w", err)
		}
		s.Relay, err = l.spawn(l.netnsPath(fabricNetns), argRelay, string(parameter),
			l.path("relay.log"), 0)
		if s.Relay.PID != 0 {
			started = append(started, s.Relay)
		}
		if err != nil {
			return started, err
		}
	}
	return started, nil
}

func endRelays(relays []process) error {
	var failed []error
	for _, p := range relays {
		failed = append(failed, p.signal(syscall.SIGKILL))
	}
	return errors.Join(failed...)
}

// keepFaults writes down what is wrong, and when it has become so.
func (l *Lab) keepFaults(f faults) error {
	for file, content := range map[string]any{
		cutsFile: f.Cuts, ringCutsFile: f.RingCuts, linksFile: f.Links,
	} {
		if reflect.ValueOf(content).Len() == 0 {
			if err := os.Remove(l.path(file)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("lab: heal: %w", err)
			}
			continue
		}
		if err := writeJSON(l.path(file), content); err != nil {
			return err
		}
	}
	return l.noteCuts(f)
}

// covered says whether nothing gets from a to b because of a cut that has both, or only what is not
// Corosync's.
func (l *Lab) covered(f faults, a, b end) (all, ring bool, err error) {
	cover := func(p [2]string) (bool, error) {
		x, err := l.endOf(p[0])
		if err != nil {
			return false, err
		}
		y, err := l.endOf(p[1])
		return err == nil && a.within(x) && b.within(y), err
	}
	directed := slices.Clone(f.Cuts)
	for _, p := range f.Cuts {
		directed = append(directed, [2]string{p[1], p[0]})
	}
	for _, s := range f.Links {
		if s.Cut {
			directed = append(directed, [2]string{s.From, s.To})
		}
	}
	for _, p := range directed {
		yes, err := cover(p)
		if err != nil {
			return false, false, err
		}
		all = all || yes
	}
	for _, p := range f.RingCuts {
		there, err := cover(p)
		if err != nil {
			return false, false, err
		}
		back, err := cover([2]string{p[1], p[0]})
		if err != nil {
			return false, false, err
		}
		ring = ring || there || back
	}
	return all, ring, nil
}

// flows are what a relay has to carry for the link, nothing if it is cut.
func (l *Lab) flows(f faults, link Link) ([]flow, error) {
	a, err := l.endOf(link.From)
	if err != nil {
		return nil, err
	}
	b, err := l.endOf(link.To)
	if err != nil {
		return nil, err
	}
	cut, ring, err := l.covered(f, a, b)
	if err != nil || cut {
		return nil, err
	}
	ways, err := l.ways(a, b)
	if err != nil {
		return nil, err
	}
	var all []flow
	for _, w := range ways {
		to, others := l.behind(w.out)
		all = append(all, flow{
			In: w.capture, Out: w.out, From: w.from, To: to, Not: others, NoRing: ring,
			Delay: link.Delay, Jitter: link.Jitter, Loss: link.Loss,
		})
	}
	return all, nil
}

// apart has what one relay carries for a node alone not be carried by another one that carries what
// comes from the whole of its site to the same port.
func apart(relays [][]flow) {
	for i := range relays {
		for j := range relays[i] {
			f := &relays[i][j]
			if f.From != "" {
				continue
			}
			for _, other := range slices.Concat(relays...) {
				if other.Out == f.Out && other.From != "" {
					f.NotFrom = append(f.NotFrom, other.From)
				}
			}
		}
	}
}

// behind returns the address of the node at the port; if that is a site's link, those of all nodes
// that are not behind it.
func (l *Lab) behind(out string) (to, others []string) {
	for _, site := range l.spec.Sites {
		for network := range stretched {
			if middle, _ := trunk(site.Name, network); middle == out {
				return nil, l.macs(network, func(n Node) bool { return n.Site != site.Name })
			}
		}
	}
	for _, n := range append(slices.Clone(l.spec.Nodes), Node{Name: cloudNode}) {
		for _, nic := range l.nics(n) {
			if port(n.Name, nic) == out {
				return []string{mac(nic).String()}, nil
			}
		}
	}
	return nil, nil
}

func (l *Lab) macs(network string, of func(Node) bool) (macs []string) {
	for _, n := range append(slices.Clone(l.spec.Nodes), Node{Name: cloudNode}) {
		for _, nic := range l.nics(n) {
			if networkOf(nic.bridge) == network && of(n) {
				macs = append(macs, mac(nic).String())
			}
		}
	}
	return macs
}

// nics are the node's, or the cloud's.
func (l *Lab) nics(n Node) []nic {
	if n.Name == cloudNode {
		return cloudNICs()
	}
	return n.nics()
}

// renewRelays starts the relays again that carry frames to or from the node, which has new cables.
// The lab is locked.
func (l *Lab) renewRelays(node string) error {
	before, err := l.faults()
	if err != nil || len(before.Links) == 0 {
		return err
	}
	now, err := l.faults()
	if err != nil {
		return err
	}
	renewed := false
	for i, s := range now.Links {
		if slices.ContainsFunc(s.Flows, func(f flow) bool {
			return strings.HasPrefix(f.In, node+".") || strings.HasPrefix(f.Out, node+".")
		}) {
			now.Links[i].Flows, renewed = nil, true
		}
	}
	if !renewed {
		return nil
	}
	return l.bringAbout(before, now)
}
