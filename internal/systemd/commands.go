package systemd

import "github.com/godbus/dbus/v5"

// Command is a command line of a service: one of ExecStart=, ExecReload= and the like. Specifiers
// are resolved, variables are not.
type Command struct {
	Path string
	// Args are its words, the program's name first.
	Args []string
}

// commandNames lists the properties that hold command lines (systemd.service(5)).
var commandNames = []string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost",
	"ExecReload", "ExecStop", "ExecStopPost"}

// commandsOf returns a service's command lines by their properties' names.
func commandsOf(values map[string]dbus.Variant) map[string][]Command {
	// org.freedesktop.systemd1(5), a(sasbttttuii): when it last ran follows
	type line struct {
		Path                             string
		Args                             []string
		Ignore                           bool
		Begun, BegunMono, Ended, EndMono uint64
		PID                              uint32
		Code, Status                     int32
	}
	all := map[string][]Command{}
	for _, name := range commandNames {
		for _, l := range get[[]line](values, name) {
			all[name] = append(all[name], Command{l.Path, l.Args})
		}
	}
	return all
}
