// Package model is what keepalived makes of its configuration: which of two values wins, what is
// left out silently, what a default is, and which settings clear each other. It was compared with
// keepalived 2.2.7.
//
// It imports keepalived/syntax. Open this file first; read.go makes the model of statements, settle.go
// has what keepalived does when it has read everything.
package model

import (
	"fmt"
	"net/netip"

	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// Priorities.
const (
	DefaultPriority = 100
	Owner           = 255 // weights mean nothing
)

// Config is what the keepalived of a node does.
type Config struct {
	Node       string
	Syntax     *syntax.Config
	ScriptUser *syntax.Statement // script_user of global_defs, or nil
	Scripts    []*Script
	Processes  []*Process
	Files      []string // the names of track files
	Groups     []*Group
	Instances  []*Instance
	Servers    []*syntax.Statement // virtual_server and what belongs to it
	Notes      []Note

	strict  bool
	version int // of VRRP, 0 is the default
}

// Note is what keepalived makes of a statement otherwise than somebody would think who reads it.
type Note struct {
	At   *syntax.Statement
	Text string
	// Refused says that keepalived does not start with it.
	Refused bool
}

// Script is a vrrp_script.
type Script struct {
	Name     string
	At       *syntax.Statement
	Line     *syntax.Statement // that of script
	Words    []string          // what is run: keepalived 2 needs no shell
	Interval int               // seconds
	Timeout  int               // seconds
	Rise     int
	Fall     int
	Weight   int
	Reverse  bool
	User     string // "" is the default
	InitFail bool
	Used     bool
}

// Process is a vrrp_track_process.
type Process struct {
	Name    string
	At      *syntax.Statement
	Path    string
	Params  []string
	Full    bool
	Weight  int
	Reverse bool
	Quorum  int
}

// Track is a script, a process, an interface or something else that an instance depends on. Without
// a weight it is a fault where it fails; with one the priority changes.
type Track struct {
	Name    string
	At      *syntax.Statement
	Weight  int
	Reverse bool
	Script  *Script
	Process *Process
}

// Address is an entry of virtual_ipaddress.
type Address struct {
	Prefix   netip.Prefix
	Written  bool // its length is written: keepalived takes /32 and /128 otherwise
	Dev      string
	Label    string
	Excluded bool     // of virtual_ipaddress_excluded
	Others   []string // options that there is nothing like in hawser
	At       *syntax.Statement
}

// Instance is a vrrp_instance.
type Instance struct {
	Name       string
	At         *syntax.Statement
	Master     bool // its initial state
	Interface  string
	VRID       int // 0 is none
	Version    int // of VRRP: 2 or 3
	Advert     float64
	AdvertAt   *syntax.Statement
	Priority   int
	PriorityAt *syntax.Statement
	Addresses  []*Address
	NoPreempt  bool // after what clears it
	Delay      float64
	PreemptAt  *syntax.Statement // of nopreempt
	DelayAt    *syntax.Statement
	Scripts    []*Track
	Interfaces []*Track
	Processes  []*Track
	Files      []*Track
	BFD        []*Track
	Source     netip.Addr // unicast_src_ip or mcast_src_ip
	Peers      []netip.Addr
	Primary    bool   // its own interface is watched
	Auth       string // type and password as far as keepalived takes it, "" is none
	AuthAt     *syntax.Statement
	Notifies   []*syntax.Statement
	IPv6       bool
	Sync       *Group

	family bool // IPv6 is decided
	vmac   bool
	strict bool
}

// Group is a vrrp_sync_group.
type Group struct {
	Name      string
	At        *syntax.Statement
	Members   []*Instance
	Weights   bool // sync_group_tracking_weight
	Notifies  []*syntax.Statement
	names     []*syntax.Statement
	listed    bool
	trackings Instance // what it tracks for each of its members
}

// Healthy is the priority of an instance all of whose checks hold.
func (i *Instance) Healthy() int { return i.with(nil) }

// Failing is the priority of an instance of which one thing fails; fault says that it gives up.
func (i *Instance) Failing(t *Track) (priority int, fault bool) {
	return i.with(t), t.Weight == 0
}

// with is the priority while one thing fails.
func (i *Instance) with(fails *Track) int {
	p := i.Priority
	if p == Owner {
		return p
	}
	for _, list := range [][]*Track{i.Scripts, i.Interfaces, i.Processes} {
		for _, t := range list {
			if holds := t != fails; t.Weight == 0 || holds != (t.Weight > 0) {
				continue // a positive weight counts while it holds, a negative one while it fails
			}
			if t.Reverse {
				p -= t.Weight
			} else {
				p += t.Weight
			}
		}
	}
	return min(max(p, 1), Owner-1)
}

// mostNotes is how many notes are kept: nobody reads more.
const mostNotes = 20_000

func (c *Config) note(at *syntax.Statement, format string, args ...any) {
	if len(c.Notes) == mostNotes {
		return
	}
	c.Notes = append(c.Notes, Note{At: at, Text: fmt.Sprintf(format, args...)})
}

func (c *Config) refuse(at *syntax.Statement, format string, args ...any) {
	c.Notes = append(c.Notes, Note{At: at, Text: fmt.Sprintf(format, args...) +
		": keepalived does not start with that", Refused: true})
}
