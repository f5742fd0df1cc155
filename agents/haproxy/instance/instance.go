// Package instance is one HAProxy of a resource on this node and what belongs to it: its files and
// what is remembered in them, its processes, its command line and environment; how it is launched,
// asked, reloaded, ended, and brought back when it died.
//
// The actions of the resource agent (agents/haproxy) and the process that watches HAProxy
// (agents/haproxy/keeper) are made of it. It imports neither of them, and nothing of the cluster.
// Start reading in this file; locate.go says how HAProxy is found, revive.go how it is brought
// back.
package instance

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/ownaddress"
	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// Instance is one HAProxy of a resource on this node, as one call sees it.
type Instance struct {
	contract.Files
	Settings
	System
}

// Settings are the parameters of the resource that decide how HAProxy is run, asked and brought
// back.
type Settings struct {
	Binpath, Conffile string
	Extraconf         []string
	// CheckURL may mention the variables of HAProxy's environment.
	CheckURL string
	// CheckedFor are texts of the checks that may mention them too.
	CheckedFor          string
	StopGrace           time.Duration
	AnchorIP, PrivateIP netip.Addr
	MetadataURL         string
	// Sites are the nodes of each site.
	Sites []param.Site
	// Unit is HAProxy's own systemd service, "" for none.
	Unit string
	// Keeper is whether a process watches HAProxy. A HAProxy that crashes MaxCrashes times within
	// CrashWindow is given up.
	Keeper      bool
	MaxCrashes  int
	CrashWindow time.Duration
	// HangTime is how long HAProxy may not answer and not work before it counts as hung.
	HangTime time.Duration
	// Generation is a word; changing it reloads HAProxy on every node.
	Generation string
}

// System is what an Instance runs and queries besides HAProxy. Tests replace it.
type System struct {
	// Version is that of this program.
	Version string
	// Program is what is run as the keeper and as the launcher.
	Program string
	pacemaker.Tools
	Systemd Systemd
	// KeepTime is how long the keeper may take to bring HAProxy back; 0 is its own.
	KeepTime time.Duration
	// Addresses returns those that a metadata service may call this node's.
	Addresses func() ([]netip.Addr, error)
}

// ThisSystem returns Pacemaker's tools and systemd of this machine.
func ThisSystem(version string) System {
	return System{Version: version, Program: "/proc/self/exe", Tools: pacemaker.Installed(),
		Systemd: thisSystemd(), Addresses: ownaddress.OfInterfaces}
}

// MasterArg returns the argument by which HAProxy's processes are recognised as this instance's.
func (in *Instance) MasterArg() string { return in.MasterSocket() + ",mode,600,level,admin" }

// longestPath is the longest path that HAProxy can bind: sun_path (unix(7)) without the suffix of
// its temporary name.
const longestPath = 97

// CheckDir returns an error if HAProxy would misread the name of the directory, or could not bind a
// socket in it.
func (in *Instance) CheckDir() error {
	if longest := in.newStats(0xffffffff); len(longest) > longestPath {
		return ocf.Errorf(ocf.ErrArgs,
			"the runtime directory %s is %d characters too long for a socket in it: shorten the "+
				"resource's name",
			in.Dir, len(longest)-longestPath)
	}
	if i := strings.IndexFunc(in.Dir, func(r rune) bool {
		return r <= ' ' || strings.ContainsRune(`,"'\#$@`, r) || r > '~'
	}); i >= 0 {
		return ocf.Errorf(ocf.ErrArgs,
			"the runtime directory %q holds %q, which HAProxy would not take as part of a path: "+
				"rename the resource",
			in.Dir, in.Dir[i:i+1])
	}
	return nil
}

// Args is HAProxy's command line. The fragment comes first, so that the user's configuration has
// the last word, but for what the last fragment says.
func (in *Instance) Args() []string {
	return slices.Concat([]string{"-W", "-D", "-f", in.Fragment(), "-f", in.Conffile, "-p",
		in.Pidfile(), "-S", in.MasterArg()}, in.Extraconf, in.lastArgs())
}

// lastArgs names the last fragment, behind extraconf. A HAProxy that an older agent has started goes
// without it.
func (in *Instance) lastArgs() []string {
	if slices.Contains(in.Extraconf, "--") { // all that follow are files
		return []string{in.LastFragment()}
	}
	return []string{"-f", in.LastFragment()}
}

// newStats returns a path for a stats socket at which no HAProxy has listened yet.
func (in *Instance) newStats(number uint32) string {
	return filepath.Join(in.Dir, fmt.Sprintf("stats.%08x.sock", number))
}

// UserFiles returns the configuration files and directories that are the user's.
func (in *Instance) UserFiles() []string { return contract.ConfigFiles(in.Conffile, in.Extraconf) }

// Sources reads the user's files, and adds what the checks mention as one more source: it may
// have the same variables.
func (in *Instance) Sources() ([]client.Source, error) {
	sources, err := client.ReadSources(in.UserFiles())
	if err != nil {
		return nil, ocf.Errorf(ocf.ErrInstalled, "conffile=%s: %w", in.Conffile, err)
	}
	return in.WithChecks(sources), nil
}

// WithChecks adds what the checks mention to sources that were read.
func (in *Instance) WithChecks(sources []client.Source) []client.Source {
	text := strings.TrimSpace(in.CheckURL + " " + in.CheckedFor)
	return append(sources, client.Source{File: "check_url", Text: text})
}
