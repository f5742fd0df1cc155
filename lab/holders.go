package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// HolderOptions say how an address is watched.
type HolderOptions struct {
	IP netip.Addr
	// Every is the time between two questions; 20 ms if zero.
	Every time.Duration
	// For is how long to watch; until Stop, or the end of the context, if zero.
	For time.Duration
}

// Holding is a time during which a node said that it has the address, as one observer heard it.
type Holding struct {
	Node     string // or the hardware address, if it is nobody's
	MAC      string
	From, To time.Time
	Answers  int
}

// Observed is what the observer at one site heard.
type Observed struct {
	Site     string `json:",omitempty"`
	Observer string
	Requests int
	Holdings []Holding
}

// Conflict is a time during which two nodes said that they have the address.
type Conflict struct {
	// Sites are where the two were heard: the same one twice if both were heard there.
	Sites [2]string
	Nodes [2]string
	// From and To are from the later one's first to the earlier one's last answer.
	From, To time.Time
	// LinkUp says that the two sites were not cut off from each other all that time.
	LinkUp bool
}

// HoldersReport is who said when that he has an address, in every site.
type HoldersReport struct {
	IP        netip.Addr
	Observers []Observed
	Conflicts []Conflict
}

// TwoInOneSite are the conflicts that somebody at one site could see.
func (r HoldersReport) TwoInOneSite() []Conflict {
	return slices.DeleteFunc(slices.Clone(r.Conflicts),
		func(c Conflict) bool { return c.Sites[0] != c.Sites[1] })
}

// Differed are the conflicts in which two sites saw different holders while nothing was between
// them.
func (r HoldersReport) Differed() []Conflict {
	return slices.DeleteFunc(slices.Clone(r.Conflicts),
		func(c Conflict) bool { return c.Sites[0] == c.Sites[1] || !c.LinkUp })
}

// HolderWatch is watchers under way.
type HolderWatch struct {
	lab    *Lab
	ip     netip.Addr
	cancel context.CancelFunc
	all    []*watching
}

// watching is one watcher.
type watching struct {
	node  Node
	begun chan struct{}
	done  chan struct{}
	out   bytes.Buffer
	err   error
}

// Holders watches an address on the public network from every site, and returns who said when that
// he has it.
func (l *Lab) Holders(ctx context.Context, o HolderOptions) (HoldersReport, error) {
	if o.For == 0 && ctx.Done() == nil {
		return HoldersReport{}, errors.New(
			"lab: watch who holds an address: it would never end: give For, or a context that ends")
	}
	w, err := l.WatchHolders(ctx, o)
	if err != nil {
		return HoldersReport{}, err
	}
	return w.Wait()
}

// WatchHolders begins to ask at every site who has the address: its client does so again and again,
// by ARP or neighbour discovery, and notes every answer and announcement that it hears. It returns
// when all watchers listen.
func (l *Lab) WatchHolders(ctx context.Context, o HolderOptions) (*HolderWatch, error) {
	if !o.IP.IsValid() {
		return nil, errors.New("lab: watch who holds an address: which one?")
	}
	if o.Every < 0 || o.For < 0 {
		return nil, fmt.Errorf("lab: watch who holds %s: a time cannot be negative", o.IP)
	}
	stop, cancel := context.WithCancel(ctx)
	if o.For > 0 {
		stop, cancel = context.WithTimeout(ctx, o.For)
	}
	w := &HolderWatch{lab: l, ip: o.IP, cancel: cancel}
	for _, n := range l.Nodes(Customer) {
		if len(l.spec.Sites) > 0 && n.Site == "" {
			continue
		}
		one, err := l.startWatch(stop, n, watchPlan{
			IP: o.IP, Interface: "eth1", Every: cmp.Or(o.Every, 20*time.Millisecond),
		})
		if err != nil {
			cancel()
			return nil, err
		}
		w.all = append(w.all, one)
	}
	for _, one := range w.all {
		select {
		case <-one.begun:
		case <-one.done:
			cancel()
			return nil, cmp.Or(one.err, fmt.Errorf("lab: the watcher in %s ended at once",
				one.node.Name))
		}
	}
	return w, nil
}

func (l *Lab) startWatch(stop context.Context, n Node, p watchPlan) (*watching, error) {
	node, err := l.initOf(n.Name)
	if err != nil {
		return nil, err
	}
	self, err := l.program()
	if err != nil {
		return nil, err
	}
	parameter, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("lab: watch who holds %s: %w", p.IP, err)
	}
	in, hold, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("lab: watch who holds %s: %w", p.IP, err)
	}
	w := &watching{node: n, begun: make(chan struct{}), done: make(chan struct{})}
	go func() {
		<-stop.Done()
		_ = hold.Close() // the watcher ends when its input does
	}()
	go func() {
		defer close(w.done)
		said := &onBegun{begun: w.begun}
		w.err = l.runIn(context.WithoutCancel(stop), n.Name, node, Command{
			Args: []string{self, argWatch, string(parameter)}, Env: []string{childMark + "=1"},
			Stdin: in, Stdout: &w.out, Stderr: said, Dir: "/",
		}, unix.CLONE_NEWNET|unix.CLONE_NEWPID)
		if w.err != nil {
			w.err = fmt.Errorf("lab: watch who holds %s from %s: %s: %w", p.IP, n.Name,
				strings.TrimSpace(said.text.String()), w.err)
		}
		_ = in.Close()
	}()
	return w, nil
}

// onBegun reads a watcher's stderr.
type onBegun struct {
	begun chan struct{}
	once  sync.Once
	text  bytes.Buffer
}

func (b *onBegun) Write(text []byte) (int, error) {
	b.text.Write(text)
	if strings.HasPrefix(b.text.String(), watchBegun+"\n") {
		b.once.Do(func() { close(b.begun) })
	}
	return len(text), nil
}

// Stop ends the watch and returns what was seen.
func (w *HolderWatch) Stop() (HoldersReport, error) {
	w.cancel()
	return w.Wait()
}

// Wait waits for the end of the watch and returns what was seen.
func (w *HolderWatch) Wait() (HoldersReport, error) {
	r := HoldersReport{IP: w.ip}
	names := map[string]string{}
	for _, n := range w.lab.spec.Nodes {
		for _, nic := range n.nics() {
			names[mac(nic).String()] = n.Name
		}
	}
	for _, one := range w.all {
		<-one.done
		if one.err != nil {
			w.cancel()
			return r, one.err
		}
		var seen watched
		if err := json.Unmarshal(one.out.Bytes(), &seen); err != nil {
			w.cancel()
			return r, fmt.Errorf("lab: read what the watcher in %s saw: %w", one.node.Name, err)
		}
		o := Observed{Site: one.node.Site, Observer: one.node.Name, Requests: seen.Requests}
		for _, run := range seen.Runs {
			o.Holdings = append(o.Holdings, Holding{
				Node: cmp.Or(names[run.MAC], run.MAC), MAC: run.MAC, From: run.First, To: run.Last,
				Answers: run.Answers,
			})
		}
		r.Observers = append(r.Observers, o)
	}
	w.cancel()
	history, err := w.lab.cutHistory()
	if err != nil {
		return r, err
	}
	r.Conflicts = conflicts(r.Observers, history)
	return r, nil
}

// conflicts lists the times during which two nodes answered, whoever heard them.
func conflicts(observers []Observed, history []cutsAt) []Conflict {
	type heard struct {
		site string
		Holding
	}
	var all []heard
	for _, o := range observers {
		for _, h := range o.Holdings {
			all = append(all, heard{o.Site, h})
		}
	}
	var found []Conflict
	for i, x := range all {
		for _, y := range all[i+1:] {
			from, to := later(x.From, y.From), earlier(x.To, y.To)
			if x.MAC == y.MAC || !from.Before(to) {
				continue
			}
			first, second := x, y
			if y.From.Before(x.From) {
				first, second = y, x
			}
			found = append(found, Conflict{
				Sites: [2]string{first.site, second.site},
				Nodes: [2]string{first.Node, second.Node},
				From:  from, To: to, LinkUp: joined(history, x.site, y.site, from, to),
			})
		}
	}
	slices.SortFunc(found, func(a, b Conflict) int { return a.From.Compare(b.From) })
	return found
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// cutsAt is which pairs of sites have been cut off from each other since a moment, at least in one
// direction.
type cutsAt struct {
	At    time.Time
	Apart [][2]string
}

const cutsLog = "cuts.log"

// noteCuts appends to the history of cuts.
func (l *Lab) noteCuts(f faults) error {
	now := cutsAt{At: time.Now()}
	pairs := slices.Clone(f.Cuts)
	for _, s := range f.Links {
		if s.Cut {
			pairs = append(pairs, [2]string{s.From, s.To})
		}
	}
	for _, p := range pairs {
		if l.spec.hasSite(p[0]) && l.spec.hasSite(p[1]) {
			now.Apart = append(now.Apart, p)
		}
	}
	line, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("lab: note the cuts: %w", err)
	}
	log, err := os.OpenFile(l.path(cutsLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = log.Write(append(line, '\n'))
		err = errors.Join(err, log.Close())
	}
	if err != nil {
		return fmt.Errorf("lab: note the cuts: %w", err)
	}
	return nil
}

func (l *Lab) cutHistory() ([]cutsAt, error) {
	b, err := os.ReadFile(l.path(cutsLog))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lab: the history of cuts: %w", err)
	}
	var all []cutsAt
	for d := json.NewDecoder(bytes.NewReader(b)); d.More(); {
		var c cutsAt
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("lab: the history of cuts: %w", err)
		}
		all = append(all, c)
	}
	return all, nil
}

// joined says whether the two sites were not cut off from each other for the whole time.
func joined(history []cutsAt, a, b string, from, to time.Time) bool {
	if a == b {
		return true
	}
	apart := func(c cutsAt) bool {
		return slices.ContainsFunc(c.Apart, func(p [2]string) bool { return samePair(p, a, b) })
	}
	before := cutsAt{}
	for _, c := range history {
		switch {
		case !c.At.After(from):
			before = c
		case c.At.Before(to) && !apart(c):
			return true
		}
	}
	return !apart(before)
}
