package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/haproxy/pidfile"
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
	// Loading is set while HAProxy is still loading it.
	Loading *Loading `json:"loading,omitempty"`
}

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
	text, err := ReadOwn(in.State())
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
	if file, err := os.OpenFile(in.State(), os.O_WRONLY, 0); err == nil {
		_ = unix.Fallocate(int(file.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, reserved)
		_ = file.Close()
	}
	return nil
}

// WritePidfile writes the file with the master's process id, which HAProxy writes when it starts.
func (in *Instance) WritePidfile(master Process) error {
	return writeFile(in.Pidfile(), fmt.Appendf(nil, "%d\n", master.PID))
}

// ReadOwn reads a regular file that this user owns and nobody else can write.
func ReadOwn(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.Mode().IsRegular() ||
		info.Mode().Perm()&0o022 != 0 || int(owner) != os.Geteuid() {
		return nil, fmt.Errorf("%s is not a file that only uid %d can write (it is %s of uid %d)",
			path, os.Geteuid(), info.Mode(), owner)
	}
	return io.ReadAll(file)
}

// writeFile replaces a file in one step, readable by root alone. One that has the text already is
// left alone. Where there is no room for another one, the text is written over the old one.
func writeFile(path string, text []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	err := atomicfile.Write(path, text, 0o600)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		_ = os.Remove(path + atomicfile.Suffix)
		if overwrite(path, text) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

// overwrite writes over a file, if that needs no more room than the file has. A reader that comes
// just then finds white space behind the text, which means nothing in what is written here; if this
// process is killed just then, the file may be lost, which every reader can do without.
func overwrite(path string, text []byte) bool {
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || info.Sys().(*syscall.Stat_t).Blocks*512 < int64(len(text)) {
		return false
	}
	padding := bytes.Repeat([]byte{'\n'}, max(0, int(info.Size())-len(text)))
	_, err = file.WriteAt(append(slices.Clip(text), padding...), 0)
	return err == nil && file.Truncate(int64(len(text))) == nil
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
			in.Checked(), in.Checked()+".new"),
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
