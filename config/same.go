package config

import (
	"strconv"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/param"
)

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

// KeyOf returns the name of the key of hawser.yaml that sets a parameter of hawser's agent of that type,
// or the parameter's own name.
func KeyOf(agent, parameter string) string {
	for _, k := range flat(keysOf(agent)) {
		if k.param == parameter && k.name != "" {
			return k.name
		}
	}
	return parameter
}

func keysOf(agent string) []key {
	switch agent {
	case contract.HAProxyType:
		return append(new(HAProxy).keys(), shortKeys()...)
	case contract.FloatIPType:
		return new(Address).keys()
	case contract.FenceDropletType:
		return new(DropletFencing).keys()
	}
	return nil
}

// shortKeys are the parameters that checks has replaced, which an older version may have written
// with what means nothing.
func shortKeys() []key {
	var c ShortCheck
	var least int
	return []key{
		{
			kind:  length(&c.Timeout),
			def:   param.FormatDuration(contract.DefaultCheckTimeout),
			param: contract.ParamCheckTimeout, effect: reload,
		},
		{
			kind:  whole(&least, 0, param.MostServers),
			def:   strconv.Itoa(contract.DefaultMinServers),
			param: contract.ParamMinServers, effect: reload,
		},
	}
}
