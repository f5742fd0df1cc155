package config

import "github.com/hawser-ha/hawser/contract"

// Same reports whether two texts of an agent's parameter mean the same: an address in two
// notations, 120s and 2min, and a default that is written out and one that is not. "" is a
// parameter that is not set. agent is a type of package contract. For a parameter without a key in
// hawser.yaml, only the same text means the same.
//
// Pacemaker compares texts: a parameter that is added with the agent's default value restarts the
// resource. So a text in the cluster stays as it is as long as it means what the file says.
func Same(agent, parameter, a, b string) bool {
	for _, k := range flat(keysOf(agent)) {
		if k.param == parameter {
			return k.same(a, b)
		}
	}
	return a == b
}

func keysOf(agent string) []key {
	switch agent {
	case contract.HAProxyType:
		return new(HAProxy).keys()
	case contract.FloatIPType:
		return new(Address).keys()
	case contract.FenceDropletType:
		return new(DropletFencing).keys()
	}
	return nil
}
