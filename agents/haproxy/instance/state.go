package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/pidfile"
	"github.com/hawser-ha/hawser/agents/haproxy/unit"
	client "github.com/hawser-ha/hawser/haproxy"

	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// State is what the agent remembers of the HAProxy that it started, in state.json.
type State struct {
	// Boot is the kernel's boot id: process ids and start times of another boot mean nothing.
	Boot   string  `json:"boot"`
	Master Process `json:"master"`
	// Env are the variables that HAProxy was started with for its configuration: the HAWSER_ ones,
	// and its unit's. A reload keeps them.
	Env []string `json:"env"`
	// Given are the settings of its systemd unit that HAProxy was given.
	Given *systemd.Settings `json:"given,omitempty"`
	// Owner is whom the unit runs HAProxy as, nil where an earlier version has not noted it.
	Owner *unit.Owner `json:"owner,omitempty"`
	// Belongings are files of the configuration's that HAProxy makes for other programs.
	Belongings Belongings `json:"belongings,omitzero"`
	// Published is the value of the servers' attribute as it was last published.
	Published string `json:"published,omitempty"`
	// ByResource is set by agents that publish under the resource's id, and not under the
	// instance's name.
	ByResource bool `json:"by_resource,omitempty"`
	// Served is the configuration that HAProxy has loaded.
	Served Served `json:"served,omitzero"`
	// Settings are the agent's own parameters with which it was last started or reloaded, as a hash.
	Settings string `json:"settings,omitempty"`
	// Pushed is the last order about a pushed configuration that was seen. An order that was there
	// at the start does not count.
	Pushed string `json:"pushed,omitempty"`
	// Order is the one that the reload which is about to be done is for.
	Order string `json:"-"`
	// Pending is a reload that was requested and could not be done.
	Pending *Pending `json:"pending,omitempty"`
	// Stopping is set once a stop has begun, so that nobody brings back what is being stopped, even
	// if the stop is interrupted.
	Stopping bool `json:"stopping,omitempty"`
	// GaveUp is set if HAProxy could not be brought back and Pacemaker was told to recover it.
	GaveUp bool `json:"gave_up,omitempty"`
	// Crashes are the crashes since the start.
	Crashes []Crash `json:"crashes,omitempty"`
}

// Pending is a reload that waits until its configuration is valid.
type Pending struct {
	Reason string `json:"reason"`
	// Tried is when it was last tried, Config the digest of the configuration then.
	Tried  time.Time `json:"tried"`
	Config string    `json:"config"`
	// Deadly is set if HAProxy died of it: the same configuration is not tried again.
	Deadly bool `json:"deadly,omitempty"`
	// Unasked is set if nobody has asked for it: it is for this configuration only.
	Unasked bool `json:"unasked,omitempty"`
	// Loading is set while HAProxy is still loading it.
	Loading *Loading `json:"loading,omitempty"`
}

// IsLoading reports whether HAProxy was asked to load a configuration and the outcome is not known.
func (s State) IsLoading() bool { return s.Pending != nil && s.Pending.Loading != nil }

// oldServes begins the reason of each pending reload.
const oldServes = "the old configuration serves: "

// NewPending returns a reload of these sources that could not be done.
func NewPending(err error, tried time.Time, sources []client.Source, deadly bool) *Pending {
	return &Pending{Reason: oldServes + Complaint(err), Tried: tried,
		Config: client.Digest(sources), Deadly: deadly}
}

// RecalledPending returns a pending reload of which only the cause is known. It is tried at once.
func RecalledPending(cause string) *Pending { return &Pending{Reason: oldServes + cause} }

// Cause returns the reason without its common beginning.
func (p Pending) Cause() string { return strings.TrimPrefix(p.Reason, oldServes) }

// Load reads the state. If it is missing or unusable, ok is false; Find then finds what runs.
func (in *Instance) Load() (s State, ok bool) {
	text, err := atomicfile.ReadOwn(in.State())
	if err != nil || json.Unmarshal(text, &s) != nil {
		return State{}, false
	}
	boot, err := procfs.Default.BootID()
	if err != nil || s.Boot != boot {
		return State{}, false
	}
	return s, true
}

// reserved is how much room the state's file keeps, so that a state can still be noted in it when
// /run is full.
const reserved = 16 << 10

// Save writes the state as a whole or not at all.
func (in *Instance) Save(s State) error {
	boot, err := procfs.Default.BootID()
	if err != nil {
		return err
	}
	s.Boot = boot
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := writeFile(in.State(), append(text, '\n')); err != nil {
		return err
	}
	atomicfile.Reserve(in.State(), reserved)
	return nil
}

// WritePidfile writes the file with the master's process id, which HAProxy writes when it starts.
func (in *Instance) WritePidfile(master Process) error {
	return writeFile(in.Pidfile(), fmt.Appendf(nil, "%d\n", master.PID))
}

// writeFile replaces a file in one step, readable by root alone. One that has the text already is
// left alone. Where there is no room for another one, the text is written over the old one.
func writeFile(path string, text []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := atomicfile.WriteOver(path, text, 0o600); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

// Exists reports whether there is anything at the path.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Clear removes the files of a HAProxy that is gone. The metadata service's answers stay, which
// belong to the node, and so do the keeper's files: it may be holding sockets for the start that
// follows.
func (in *Instance) Clear() error {
	s, _ := in.Load()
	return errors.Join(pidfile.Remove(s.Belongings.Pidfile, s.Master.PID),
		Remove(in.Pidfile(), in.MasterSocket(), in.StatsSocket(), in.Fragment(), in.StartLog(),
			in.Checks(), in.Checks()+".new", in.State(), in.State()+".new", in.Fragment()+".new",
			in.LastFragment(), in.LastFragment()+".new", in.Beside(), in.Beside()+".new",
			in.Checked(), in.Checked()+".new", in.Well(), in.Well()+".new"),
		os.RemoveAll(in.Copies()), os.RemoveAll(in.kept().Next()))
}

// Remove removes files that may be missing.
func Remove(paths ...string) error {
	var errs []error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
