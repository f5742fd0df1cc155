package inventory

import (
	"github.com/hawser-ha/hawser/crm"
)

// Words returns what of the configuration a command may take as its argument after so many others:
// an address to move and a node to move it to, a HAProxy to reload, the ids of objects.
func Words(cib *crm.CIB, command string, after int) []string {
	switch {
	case (command == "move" || command == "stop") && after == 0: // nobody stops HAProxy with a TAB
		return Names(Primitives(cib.Effective(), IsFloatIP))
	case command == "start" && after == 0:
		return resources(cib)
	case (command == "standby" || command == "online") && after == 0,
		(command == "move" || command == "cleanup" || command == "maintenance") && after == 1:
		return cib.Members()
	case command == "cleanup" && after == 0:
		return append(resources(cib), cib.Members()...)
	case command == "reload" && after == 0:
		return Names(Primitives(cib.Effective(), IsHAProxy))
	case command == "configure delete" || command == "configure show" ||
		command == "configure group" || command == "configure clone" ||
		command == "configure colocation" || command == "configure order" ||
		command == "configure location" || command == "configure tag":
		return ids(cib)
	}
	return nil
}

// resources lists what can fail, and what can be stopped.
func resources(cib *crm.CIB) []string {
	var all []string
	for _, o := range cib.Objects() {
		switch o.(type) {
		case *crm.Primitive, *crm.Clone, *crm.Group:
			all = append(all, o.ID())
		}
	}
	return all
}

// ids lists the objects that have a name of their own.
func ids(cib *crm.CIB) []string {
	var all []string
	for _, o := range cib.Objects() {
		switch o.(type) {
		case *crm.Property, *crm.Node:
		default:
			all = append(all, o.ID())
		}
	}
	return all
}
