package systemd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// Scope is a transient unit for processes that systemd did not start (systemd.scope(5)).
type Scope struct {
	Name, Description string
	// Spare is the name to use while a scope called Name is still being removed, so that nobody has
	// to wait for that; none if empty.
	Spare string
	// Like is the service whose slice, resource limits and kill settings it gets; none if empty.
	Like string
	// Before lists units that, at a shutdown, end before its processes are ended; After those that
	// end later.
	Before, After []string
}

// ScopeName makes the name of a scope from arbitrary words, as systemd-escape(1) does.
func ScopeName(words string) string {
	var b strings.Builder
	for i := range len(words) {
		if c := words[i]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte(":-_.", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String() + ".scope"
}

// asked is how often systemd is asked again while the previous scope is still being removed.
const asked = 10 * time.Millisecond

// ErrPlain says that the scope was made without its resource limits, because systemd did not accept
// them.
var ErrPlain = errors.New("the limits of resources are not in effect")

// Adopt makes the scope and moves processes, with all their threads, into it; it returns when they
// are there. What they start from then on is in the scope too. It waits for a scope of the same
// name that is being removed: no process can be added to an existing one, unless it is delegated.
func (s Scope) Adopt(ctx context.Context, pids ...int) error {
	var ids []uint32
	for _, pid := range pids {
		if !s.Has(pid) {
			ids = append(ids, uint32(pid))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("cannot put %d into %s: %w", ids, s.Name, err) }
	c, err := dial(ctx)
	if err != nil {
		return fail(err)
	}
	defer c.close()
	properties := []property{
		{"Description", dbus.MakeVariant(s.Description)},
		{"CollectMode", dbus.MakeVariant("inactive-or-failed")},
		{"PIDs", dbus.MakeVariant(ids)},
	}
	if len(s.Before) > 0 {
		properties = append(properties, property{"Before", dbus.MakeVariant(s.Before)})
	}
	if len(s.After) > 0 {
		properties = append(properties, property{"After", dbus.MakeVariant(s.After)})
	}
	var limits []property
	var plain error
	if s.Like != "" {
		values, err := c.loaded(s.Like)
		if err != nil {
			plain = fmt.Errorf("%w: %w", ErrPlain, err)
		}
		limits = resources(values)
	}
	name := s.Name
	for {
		err := c.make(name, append(properties, limits...))
		var fault dbus.Error
		switch {
		case err == nil:
			if err := c.wait(ids, s); err != nil {
				return fail(err)
			}
			return plain
		case !errors.As(err, &fault):
			return fail(err)
		case fault.Name == busName+".UnitExists" && name == s.Name && s.Spare != "":
			name = s.Spare
			continue
		case fault.Name == busName+".UnitExists":
			name = s.Name
		case len(limits) > 0:
			plain, limits = fmt.Errorf("%w: %w", ErrPlain, err), nil
			continue
		default:
			return fail(err)
		}
		select {
		case <-c.ctx.Done():
			return fail(fmt.Errorf("the previous one does not go away: %w", c.ctx.Err()))
		case <-time.After(asked):
		}
	}
}

type property struct {
	Name  string
	Value dbus.Variant
}

func (c *conn) make(name string, properties []property) error {
	type auxiliary struct {
		Name       string
		Properties []property
	}
	return c.call(manager, "Manager.StartTransientUnit", name, "replace", properties, []auxiliary{}).Err
}

// wait waits until the job that moves the processes is done.
func (c *conn) wait(pids []uint32, s Scope) error {
	for slices.ContainsFunc(pids, func(pid uint32) bool { return !s.Has(int(pid)) }) {
		select {
		case <-c.ctx.Done():
			return fmt.Errorf("systemd has not done it: %w", c.ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// Has says whether the process is in that scope, in systemd's hierarchy: the only one, or in cgroup
// v1 the one named systemd. Any user's own manager makes a scope of any name, in a control group
// that belongs to the user: such a one is another.
func (s Scope) Has(pid int) bool {
	_, ok := s.group(pid)
	return ok
}

// cgroups is where the kernel's control groups are mounted.
const cgroups = "/sys/fs/cgroup"

// group returns the directory of the scope that the process is in.
func (s Scope) group(pid int) (dir string, ok bool) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	for line := range strings.Lines(string(text)) {
		_, group, _ := strings.Cut(strings.TrimSpace(line), ":")
		places := []string{cgroups, cgroups + "/unified"} // the latter beside those of v1
		path, found := strings.CutPrefix(group, ":")
		if !found {
			places = []string{cgroups + "/systemd"}
			path, found = strings.CutPrefix(group, "name=systemd:")
		}
		if base := filepath.Base(path); !found || base != s.Name && base != s.Spare {
			continue
		}
		for _, place := range places {
			info, err := os.Stat(filepath.Join(place, path))
			if err == nil && info.Sys().(*syscall.Stat_t).Uid == 0 {
				return filepath.Join(place, path), true
			}
		}
	}
	return "", false
}

// Kill kills all processes of the scope at once, if the process is in it and the kernel can do that
// (cgroup v2, Linux 5.14).
func (s Scope) Kill(pid int) bool {
	dir, ok := s.group(pid)
	if !ok {
		return false
	}
	file, err := os.OpenFile(filepath.Join(dir, "cgroup.kill"), os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	_, err = file.WriteString("1")
	return errors.Join(err, file.Close()) == nil
}

// resourceNames are the settings of systemd.resource-control(5) and systemd.kill(5) that scopes and
// services share. Of the kill settings these are only the time and the signals: a scope has no main
// process.
var resourceNames = []string{
	"Slice", "CPUWeight", "StartupCPUWeight", "CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec",
	"AllowedCPUs", "AllowedMemoryNodes", "MemoryMin",
	"MemoryLow", "MemoryHigh", "MemoryMax", "MemorySwapMax", "TasksMax", "IOWeight",
	"StartupIOWeight", "IODeviceWeight",
	"IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax", "IOWriteIOPSMax",
	"IPAddressAllow", "IPAddressDeny", "ManagedOOMSwap",
	"ManagedOOMMemoryPressure", "CPUAccounting", "MemoryAccounting", "TasksAccounting",
	"IOAccounting", "IPAccounting",
	"KillSignal", "FinalKillSignal", "SendSIGKILL", "SendSIGHUP", "TimeoutStopUSec",
}

// resources returns the properties of a service that its scope gets, without those at their
// default.
func resources(values map[string]dbus.Variant) []property {
	var list []property
	for _, name := range resourceNames {
		v, ok := values[name]
		if !ok {
			continue
		}
		value := reflect.ValueOf(v.Value())
		switch {
		case name == "TasksMax" || name == "MemorySwapMax" || name == "SendSIGKILL":
			// "no limit", or 0, is not a scope's default
		case v.Value() == uint64(math.MaxUint64) || v.Value() == "" || v.Value() == "auto":
			continue
		case value.IsZero() || value.Kind() == reflect.Slice && value.Len() == 0:
			continue
		}
		list = append(list, property{name, v})
	}
	return list
}
