// Package schemas has the JSON Schemas of what commands print with --json. The files beside this
// one are made from the Go types by this package's test (HAWSER_UPDATE=1), and installed.
//
// It imports nothing of hawser. There is only this file.
package schemas

import "embed"

//go:embed *.schema.json
var files embed.FS

// Names are the commands whose objects have a schema. Where an option makes it another object, that
// stands after the command's name. The last one is the object of what is no command.
func Names() []string {
	return []string{
		"plan", "apply", "destroy", "adopt", "init", "check", "import-crm", "import-keepalived",
		"status", "reload", "reload-push", "move",
		"standby", "online", "maintenance", "cleanup", "stop", "start", "timing", "doctor",
		"doctor-list", "quorum-status", "quorum-device-add", "quorum-device-remove", "corosync-add",
		"corosync-remove", "error",
	}
}

// Of returns the schema of a command, nil if it has none.
func Of(name string) []byte {
	switch name {
	case "standby", "online", "maintenance", "cleanup", "stop", "start":
		name = "order" // they print the same object
	case "quorum-device-add", "quorum-device-remove", "corosync-add", "corosync-remove":
		name = "machines"
	}
	text, err := files.ReadFile(name + ".schema.json")
	if err != nil {
		return nil
	}
	return text
}
