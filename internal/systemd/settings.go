package systemd

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/godbus/dbus/v5"
)

// Settings are what a service's unit, its drop-ins included, gives to the processes that it starts
// (systemd.exec(5)), as far as Process can give it to a process that systemd does not start.
type Settings struct {
	// Keep has Apply do nothing.
	Keep           bool             `json:"keep,omitempty"`
	Limits         map[string]Limit `json:"limits,omitempty"` // by the names of the properties: LimitNOFILE
	OOMScoreAdjust int              `json:"oom_score_adjust"`
	Nice           int              `json:"nice"`
	UMask          uint32           `json:"umask"`
	// CPUAffinity has a bit for each processor, as in sched_setaffinity(2).
	CPUAffinity     []byte `json:"cpu_affinity,omitempty"`
	Bounding        uint64 `json:"bounding"` // the capabilities that stay
	NoNewPrivileges bool   `json:"no_new_privileges,omitempty"`
	Binds           []Bind `json:"binds,omitempty"`
	// User and Group are what the unit runs its program as, empty for root. Process does not apply
	// them.
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
	// Env is Environment= together with the files of EnvironmentFile=.
	Env []string `json:"-"`
	// Commands are its command lines by the names of their settings: ExecStart.
	Commands map[string][]Command `json:"-"`
	// Ignored lists settings of the unit that Process cannot apply.
	Ignored []string `json:"-"`
	// Faults lists files of EnvironmentFile= that cannot be read.
	Faults []error `json:"-"`
}

// Limit is one of setrlimit(2).
type Limit struct {
	Soft, Hard uint64
}

// Bind is a file or directory that is seen in another place (BindPaths=, BindReadOnlyPaths=).
type Bind struct {
	From, To           string
	Optional, ReadOnly bool
	Recursive          bool
}

// ServiceSettings reads a service's settings. The second result says whether there is such a unit;
// a masked one does not count.
func ServiceSettings(ctx context.Context, name string) (Settings, bool, error) {
	c, err := dial(ctx)
	if err != nil {
		return Settings{}, false, fmt.Errorf("systemd cannot be asked for the settings of %s: %w",
			name, err)
	}
	defer c.close()
	values, err := c.loaded(name)
	if err != nil || values == nil {
		return Settings{}, false, err
	}
	return settingsOf(values), true, nil
}

// loaded returns the properties of a service, nil if there is no such unit.
func (c *conn) loaded(name string) (map[string]dbus.Variant, error) {
	unit := c.unit(name)
	var load string
	err := c.property(unit, "Unit.LoadState", &load)
	if err == nil && load != "loaded" {
		return nil, nil
	}
	var values map[string]dbus.Variant
	if err == nil {
		values, err = c.all(unit, "Service")
	}
	if err != nil {
		return nil, fmt.Errorf("systemd does not give the settings of %s: %w", name, err)
	}
	return values, nil
}

// limitNames lists the properties of the limits of setrlimit(2); each has a second one with the
// suffix Soft.
var limitNames = map[string]int{
	"LimitAS": 9, "LimitCORE": 4, "LimitCPU": 0, "LimitDATA": 2, "LimitFSIZE": 1, "LimitLOCKS": 10,
	"LimitMEMLOCK": 8, "LimitMSGQUEUE": 12,
	"LimitNICE": 13, "LimitNOFILE": 7, "LimitNPROC": 6, "LimitRSS": 5, "LimitRTPRIO": 14,
	"LimitRTTIME": 15, "LimitSIGPENDING": 11, "LimitSTACK": 3,
}

// get reads a property. One that this systemd does not have, or has with another type, stays zero:
// none is worth an error.
func get[T any](values map[string]dbus.Variant, name string) (value T) {
	if v, ok := values[name]; ok {
		_ = v.Store(&value)
	}
	return value
}

func settingsOf(values map[string]dbus.Variant) Settings {
	s := Settings{
		OOMScoreAdjust: int(get[int32](values, "OOMScoreAdjust")),
		Nice:           int(get[int32](values, "Nice")), UMask: get[uint32](values, "UMask"),
		CPUAffinity: get[[]byte](values, "CPUAffinity"), Bounding: math.MaxUint64,
		NoNewPrivileges: get[bool](values, "NoNewPrivileges"),
		User:            get[string](values, "User"), Group: get[string](values, "Group"),
		Limits: map[string]Limit{},
	}
	if _, ok := values["CapabilityBoundingSet"]; ok {
		s.Bounding = get[uint64](values, "CapabilityBoundingSet")
	}
	for name := range limitNames {
		if _, ok := values[name]; ok {
			s.Limits[name] = Limit{get[uint64](values, name+"Soft"), get[uint64](values, name)}
		}
	}
	for _, property := range []string{"BindPaths", "BindReadOnlyPaths"} {
		type bind struct {
			From, To string
			Optional bool
			Flags    uint64
		}
		for _, b := range get[[]bind](values, property) {
			const recursive = 0x4000 // MS_REC
			s.Binds = append(s.Binds, Bind{
				b.From, b.To, b.Optional, property == "BindReadOnlyPaths", b.Flags&recursive != 0,
			})
		}
	}
	s.Env = get[[]string](values, "Environment")
	type file struct {
		Path     string
		Optional bool
	}
	for _, f := range get[[]file](values, "EnvironmentFiles") {
		vars, err := readEnvironment(f.Path)
		if err != nil && !f.Optional {
			s.Faults = append(s.Faults, err)
		}
		s.Env = append(s.Env, vars...) // the last word counts
	}
	s.Ignored, s.Commands = ignored(values), commandsOf(values)
	return s
}

// neutral lists settings that cannot be applied to a process from outside, with their values if
// nobody has set them.
var neutral = map[string][]any{
	"ProtectSystem": {"no"}, "ProtectHome": {"no"}, "PrivateTmp": {false},
	"PrivateDevices": {false}, "PrivateNetwork": {false},
	"PrivateUsers": {false}, "ProtectKernelTunables": {false}, "ProtectKernelModules": {false},
	"ProtectControlGroups": {false},
	"RootDirectory":        {""}, "RootImage": {""}, "DynamicUser": {false},
	"CPUSchedulingPolicy": {int32(0)}, "IOSchedulingClass": {int32(0), int32(2)},
	"RestrictNamespaces":     {uint64(math.MaxUint64), uint64(0x7e020080)},
	"MemoryDenyWriteExecute": {false}, "NetworkNamespacePath": {""},
}

func ignored(values map[string]dbus.Variant) []string {
	var names []string
	for name, usual := range neutral {
		if v, ok := values[name]; ok && !slices.Contains(usual, v.Value()) {
			names = append(names, name)
		}
	}
	for _, name := range []string{"SystemCallFilter", "RestrictAddressFamilies"} {
		type list struct {
			Allow bool
			Names []string
		}
		if l := get[list](values, name); l.Allow || len(l.Names) > 0 {
			names = append(names, name)
		}
	}
	for _, name := range []string{"ReadOnlyPaths", "InaccessiblePaths", "SupplementaryGroups"} {
		if len(get[[]string](values, name)) > 0 {
			names = append(names, name)
		}
	}
	if get[uint64](values, "AmbientCapabilities") != 0 {
		names = append(names, "AmbientCapabilities")
	}
	slices.Sort(names)
	return names
}

// readEnvironment reads files of EnvironmentFile=, whose name may be a pattern.
func readEnvironment(pattern string) ([]string, error) {
	paths, err := filepath.Glob(pattern)
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("EnvironmentFile=%s: no such file", pattern)
	}
	var env []string
	for _, path := range paths {
		text, problem := readSmall(path)
		if problem != nil {
			return env, fmt.Errorf("EnvironmentFile=%s: %w", pattern, problem)
		}
		env = append(env, parseEnvironment(text)...)
	}
	return env, err
}
