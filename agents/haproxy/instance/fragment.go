package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/variables"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
)

// oldWorkers is how long workers from before a reload may keep serving their last connections if
// the configuration does not say: longer than a connection that is used goes without a byte, so that
// what is cut is forgotten rather than in use. Where HAProxy is reloaded all the time, workers with
// connections that never end would pile up: mostReloads ends those that have lived through that many.
const (
	oldWorkers  = 24 * time.Hour
	mostReloads = 50
)

// HAProxy counts the connections of all stats sockets together. Idle clients of the user's own
// socket would lock the monitor out, so there are some places more than the user's `stats maxconn`
// provides for. They are few, as each costs HAProxy a descriptor: a `ulimit-n` may be just enough.
const (
	// manyConns are all places by default, and fewConns where the user counts descriptors: HAProxy's
	// own default is 10.
	manyConns, fewConns = 30, 20
	// ownConns are the places more than the user's.
	ownConns = 10
)

// WriteFragment writes the agent's first part of the configuration. HAProxy reads it before the
// user's files and the last word counts, so hard-stop-after and mworker-max-reloads are defaults.
// stats is the path of its stats socket, given what HAProxy has of its unit's settings, env what it is to
// have of variables. The last part is written if it is missing.
func (in *Instance) WriteFragment(stats string, given *systemd.Settings, env []string) error {
	owner, err := in.owner(given)
	if err != nil {
		return err
	}
	if err := in.ensureLastFragment(); err != nil {
		return err
	}
	before, _ := os.ReadFile(in.Fragment())
	//nolint:lll // a line of the file
	return writeFile(in.Fragment(),
		fmt.Appendf(nil,
			`# Written by the resource agent ocf:hawser:haproxy at each start and reload. What %s says comes after it and wins.
global
	stats socket %s mode 600 level admin expose-fd listeners
	stats maxconn %d
	hard-stop-after %ds
	mworker-max-reloads %d
%s%s`, in.Conffile, stats, manyConns, int(in.defaultHardStop().Seconds()), mostReloads,
			owner.Lines(), variables.SiteLine(env, before)))
}

// ensureLastFragment writes the last part if it is missing.
func (in *Instance) ensureLastFragment() error {
	if Exists(in.LastFragment()) {
		return nil
	}
	sources, err := in.kept().Read()
	if err != nil {
		sources, _ = in.ReadBriefly()
	}
	s, _ := in.Load()
	return in.WriteLastFragment(sources, s.Env)
}

func (in *Instance) defaultHardStop() time.Duration { return max(oldWorkers, in.StopGrace) }

// hardStop returns how long workers may go on that serve the sources when they are replaced.
func (in *Instance) hardStop(sources []client.Source, env []string) time.Duration {
	if limit, said := client.HardStop(sources, procfs.Getenv(env)); said {
		return limit
	}
	return in.defaultHardStop()
}

// WriteLastFragment writes the part that HAProxy reads after the user's files.
func (in *Instance) WriteLastFragment(sources []client.Source, env []string) error {
	text := "# Written by the resource agent ocf:hawser:haproxy at each start and reload. It comes " +
		"last and wins.\nglobal\n"
	if most, given := client.StatsMaxConn(sources, procfs.Getenv(env)); given {
		text += fmt.Sprintf("\tstats maxconn %d\n", most+ownConns)
	} else if client.Says(sources, "ulimit-n") {
		text += fmt.Sprintf("\tstats maxconn %d\n", fewConns)
	}
	return writeFile(in.LastFragment(), []byte(text))
}

// writeFragmentsFor writes both parts for a HAProxy that is about to be launched with the copies, or
// with the user's files. A check that was killed may have left those of another configuration.
func (in *Instance) writeFragmentsFor(s State, files []client.Source, onCopies bool) error {
	if onCopies {
		files, _ = in.kept().Read()
	}
	if err := in.WriteFragment(in.StatsSocket(), s.Given, s.Env); err != nil || files == nil {
		return err
	}
	return in.WriteLastFragment(files, s.Env)
}

// restoreLast writes the last fragment as it was before a reload that failed, if that is known: it has
// to go with what serves.
func (in *Instance) restoreLast(text string) error {
	if text == "" {
		return nil
	}
	return writeFile(in.LastFragment(), []byte(text))
}

// Given returns the unit's settings that the last started HAProxy was given, nil if there are none
// or they are not known.
func (in *Instance) Given() *systemd.Settings {
	s, _ := in.Load()
	return s.Given
}

// CheckBinary returns an error if there is no program to run.
func (in *Instance) CheckBinary() error {
	info, err := os.Stat(in.Binpath)
	switch {
	case err != nil:
		return ocf.Errorf(ocf.ErrInstalled,
			"binpath=%s: there is no HAProxy here: %w (install the package haproxy)", in.Binpath,
			err)
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return ocf.Errorf(ocf.ErrInstalled, "binpath=%s is not a program: it is %s", in.Binpath,
			info.Mode())
	}
	return nil
}

// CheckConfig has HAProxy check the configuration with the environment it would run in. A refusal
// is a fault of this node, which another node may not have, so it is ErrInstalled and never
// ErrConfigured, at which the cluster would give up everywhere; but a name that cannot be resolved
// may be resolved the next time.
func (in *Instance) CheckConfig(ctx context.Context, paths, env []string) error {
	// In the mode in which it would run: without -W, HAProxy refuses `program` sections.
	args := append([]string{"-W"}, in.Extraconf...)
	if slices.Contains(paths, in.Fragment()) {
		args = append(args, in.lastArgs()...)
	}
	began := time.Now()
	err := client.Config{
		Binary: in.Binpath, Files: paths, Args: args,
		Env: append([]string{contract.SearchPath}, env...),
	}.Check(ctx)
	switch {
	case ctx.Err() != nil:
		return slow(ctx, "HAProxy had not read its configuration", began, err)
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission):
		return ocf.Errorf(ocf.ErrInstalled, "binpath=%s: %w", in.Binpath, err)
	}
	return verdict(err)
}

// verdict gives an error the exit code that it has if it is HAProxy's refusal of a configuration.
func verdict(err error) error {
	var refused *client.CheckError
	if errors.As(err, &refused) && !refused.Unresolved {
		return ocf.Errorf(ocf.ErrInstalled, "%w", err)
	}
	return err
}

// ConfigPaths returns the configuration up to conffile: the agent's fragment comes first.
func (in *Instance) ConfigPaths() []string { return []string{in.Fragment(), in.Conffile} }

// MakeSocketDirs creates the directories of the configuration's own stats sockets in /run. A
// package creates them at boot or at its installation (Debian's haproxy.cfg has a socket in
// /run/haproxy); without systemd nobody does.
func MakeSocketDirs(ctx context.Context, sources []client.Source, env []string) {
	for _, s := range client.StatsSockets(sources, procfs.Getenv(env)) {
		path, dir := s.Path, filepath.Dir(filepath.Clean(s.Path))
		if !strings.HasPrefix(dir, "/run/") && !strings.HasPrefix(dir, "/var/run/") || Exists(dir) {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			ocf.CallFrom(ctx).Warnf("the directory of the stats socket %s is not there and "+
				"cannot be made: %v", path, err)
			continue
		}
		ocf.CallFrom(ctx).Infof("made %s for the stats socket %s", dir, path)
	}
}

// sameArgs reports whether a HAProxy was started with these arguments. After a reload they follow
// HAProxy's own -sf and -x.
func sameArgs(running, wanted []string) bool {
	return len(running) > len(wanted) && slices.Equal(running[len(running)-len(wanted):], wanted)
}
